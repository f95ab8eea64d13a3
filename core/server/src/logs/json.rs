//! Lines for machines: `{"time":…,"level":…,"target":…,"message":…,"fields":{…},"spans":[{"name":…,…}]}`.

use std::fmt;
use std::fmt::Write as _;

use tracing::field::{Field, Visit};
use tracing::span::Record;
use tracing::{Event, Subscriber};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

use super::about;
use super::value::Value;

/// Lines for machines.
#[derive(Debug, Clone, Copy)]
pub(super) struct Json;

/// Members of an object, each with a comma before it.
#[derive(Debug, Clone, Copy)]
pub(super) struct JsonFields;

impl<S, N> FormatEvent<S, N> for Json
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
        let mut members = Members::default();
        event.record(&mut members);
        write!(
            writer,
            r#"{{"time":"{}","level":"{}","target":"{}","message":"#,
            super::now(),
            metadata.level(),
            metadata.target()
        )?;
        members.message.write_json(&mut writer)?;
        let fields = members.text.strip_prefix(',').unwrap_or_default();
        write!(writer, r#","fields":{{{fields}}},"spans":["#)?;
        let mut comma = "";
        for span in cx.event_scope().into_iter().flat_map(|scope| scope.from_root()) {
            let extensions = span.extensions();
            let fields = extensions.get::<FormattedFields<N>>().map_or("", |fields| fields.fields.as_str());
            write!(writer, r#"{comma}{{"name":"{}"{fields}}}"#, span.name())?;
            comma = ",";
        }
        if let Some(context) = about::now() {
            write!(writer, r#"{comma}{{"name":"{}""#, context.name())?;
            for (name, value) in context.fields() {
                write!(writer, r#","{name}":"#)?;
                Value::of(value).write_json(&mut writer)?;
            }
            write!(writer, "}}")?;
        }
        writeln!(writer, "]}}")
    }
}

impl<'a> FormatFields<'a> for JsonFields {
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'a>, fields: R) -> fmt::Result {
        let mut members = Members::default();
        fields.record(&mut members);
        writer.write_str(&members.text)
    }

    fn add_fields(&self, current: &'a mut FormattedFields<Self>, fields: &Record<'_>) -> fmt::Result {
        self.format_fields(current.as_writer(), fields)
    }
}

#[derive(Default)]
struct Members {
    message: Value,
    text: String,
}

impl Members {
    fn add(&mut self, field: &Field, value: Value) {
        if field.name() == "message" {
            self.message = value;
            return;
        }
        // Writing to a string does not fail.
        let _ = write!(self.text, r#","{}":"#, field.name());
        let _ = value.write_json(&mut self.text);
    }

    fn add_literal(&mut self, field: &Field, value: impl fmt::Display) {
        let _ = write!(self.text, r#","{}":{value}"#, field.name());
    }
}

impl Visit for Members {
    fn record_f64(&mut self, field: &Field, value: f64) {
        if value.is_finite() { self.add_literal(field, value) } else { self.add(field, Value::of(value)) }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add_literal(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add_literal(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add_literal(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, Value::of(value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.add(field, Value::of(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, Value::of_debug(value));
    }
}
