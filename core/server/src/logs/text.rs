//! Lines for people: `TIME LEVEL target: message field=value in span{field=value}`.

use std::fmt;

use tracing::field::{Field, Visit};
use tracing::span::Record;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

use super::about;
use super::value::{Value, is_word};

/// Lines for people.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text {
    /// The level in colour.
    pub(super) colour: bool,
}

/// Fields for people: each with a space before it.
#[derive(Debug, Clone, Copy)]
pub(super) struct TextFields;

impl<S, N> FormatEvent<S, N> for Text
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        cx: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let metadata = event.metadata();
        write!(writer, "{} ", super::now())?;
        let level = metadata.level();
        if self.colour {
            write!(writer, "\u{1b}[{}m{level:>5}\u{1b}[0m", colour(*level))?;
        } else {
            write!(writer, "{level:>5}")?;
        }
        write!(writer, " {}:", metadata.target())?;
        cx.field_format().format_fields(writer.by_ref(), event)?;
        for span in cx.event_scope().into_iter().flat_map(|scope| scope.from_root()) {
            write!(writer, " in {}", span.name())?;
            let extensions = span.extensions();
            let fields = extensions.get::<FormattedFields<N>>().map_or("", |fields| fields.fields.as_str());
            write!(writer, "{{{}}}", fields.trim_start())?;
        }
        if let Some(context) = about::now() {
            write!(writer, " in {}{{", context.name())?;
            for (at, (name, value)) in context.fields().into_iter().enumerate() {
                write!(writer, "{}{name}=", if at > 0 { " " } else { "" })?;
                Value::of(value).write_text(&mut writer)?;
            }
            write!(writer, "}}")?;
        }
        writeln!(writer)
    }
}

fn colour(level: Level) -> u8 {
    match level {
        Level::ERROR => 31,
        Level::WARN => 33,
        Level::INFO => 32,
        Level::DEBUG => 34,
        Level::TRACE => 35,
    }
}

impl<'a> FormatFields<'a> for TextFields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'a>, fields: R) -> fmt::Result {
        let mut visitor = Visitor { writer, result: Ok(()) };
        fields.record(&mut visitor);
        visitor.result
    }

    fn add_fields(&self, current: &'a mut FormattedFields<Self>, fields: &Record<'_>) -> fmt::Result {
        self.format_fields(current.as_writer(), fields)
    }
}

struct Visitor<'a> {
    writer: Writer<'a>,
    result: fmt::Result,
}

impl Visitor<'_> {
    fn write(&mut self, field: &Field, value: &Value) -> fmt::Result {
        self.result?;
        if field.name() == "message" {
            self.writer.write_char(' ')?;
            return value.write_message(&mut self.writer);
        }
        write!(self.writer, " {}=", field.name())?;
        value.write_text(&mut self.writer)
    }
}

impl Visit for Visitor<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.result = match value {
            // As nearly always: it can stand as it is.
            word if field.name() != "message" && is_word(word) => {
                self.result.and_then(|()| write!(self.writer, " {}={word}", field.name()))
            }
            text => self.write(field, &Value::of(text)),
        };
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.result = self.write(field, &Value::of(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.result = self.write(field, &Value::of_debug(value));
    }
}
