//! What a scrape shows. `docs/operate.md` says what to do about it.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::UNIX_EPOCH;

use jsip::{Counters, Method};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;

use super::process::Process;
use super::tally::{CLASSES, CODES, Dispatched, SIDES};
use super::write::{Labels, Writer, label};
use crate::actor::Closing;
use crate::config::all_settings;
use crate::control::Control;
use crate::node::Node;
use crate::spawn::Kind;

/// One scrape.
#[derive(Debug)]
pub(super) struct Scrape(pub(super) Arc<Control>);

impl Collector for Scrape {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut writer = Writer(encoder);
        let node = self.0.node();
        there_is(&mut writer, node)?;
        requests(&mut writer, node)?;
        stacks(&mut writer, node)?;
        refusals(&mut writer, node)?;
        services(&mut writer, node)?;
        http(&mut writer, node)?;
        operation(&mut writer, &self.0)?;
        runtime(&mut writer, node)?;
        process(&mut writer, node)
    }
}

/// What there is now.
fn there_is(writer: &mut Writer<'_>, node: &Node) -> fmt::Result {
    let gauges = &node.gauges;
    for (name, help, gauge) in [
        ("connections", "WebSockets that are attached", &gauges.connections),
        ("peers", "Users and hops that are remembered, connected or not", &gauges.peers),
        ("dialogs", "Dialogs", &gauges.dialogs),
        ("sessions", "Calls", &gauges.sessions),
        ("transactions", "Requests without final response", &gauges.transactions),
        ("lingering", "Final responses kept for repeats", &gauges.lingering),
        ("queued", "Frames that wait for a connection", &gauges.queued),
        ("tasks", "Tasks of services that were made for dialogs", &gauges.tasks),
    ] {
        writer.gauge(&format!("rtcd_{name}"), help, gauge.load(Relaxed))?;
    }
    let related = node.related.count() as i64;
    writer.gauge("rtcd_related_ids", "Related ids, by which tasks can be found", related)?;
    let limits = all_settings(&node.live().settings).into_iter().filter_map(|(key, value)| {
        let most = value.as_i64()?;
        Some((label("key", key), most))
    });
    writer.gauges("rtcd_limit", "What the settings allow: each that is a number", limits)
}

/// How requests end, and how long they take.
fn requests(writer: &mut Writer<'_>, node: &Node) -> fmt::Result {
    let tally = &node.tally;
    let sides = || SIDES.iter().enumerate().map(|(at, (_, name))| (at, *name));
    let finals = sides().flat_map(|(side, from)| {
        Method::ALL.into_iter().flat_map(move |method| {
            (0..CLASSES).filter_map(move |class| {
                let count = tally.finals(side, method, class);
                let labels = vec![
                    ("from", Cow::from(from)),
                    ("method", Cow::from(method.name())),
                    ("class", Cow::from(format!("{}xx", class + 2))),
                ];
                // Most never happen.
                (count > 0).then_some((labels, count))
            })
        })
    });
    writer.counters(
        "rtcd_final_responses",
        "Requests that got their final response, by who sent the request, method and class of code",
        finals,
    )?;
    let codes = sides().flat_map(|(side, from)| {
        CODES.iter().enumerate().map(move |(at, code)| {
            let labels = vec![("from", Cow::from(from)), ("code", Cow::from(code.to_string()))];
            (labels, tally.code(side, at))
        })
    });
    writer.counters("rtcd_final_codes", "The same for codes that say what is wrong", codes)?;
    writer.histograms(
        "rtcd_transaction_seconds",
        "From a request that is no INVITE to its final response; 0 if it was answered in the turn that read it",
        sides().map(|(side, from)| (label("from", from), tally.transactions(side))),
    )?;
    writer.histograms(
        "rtcd_call_setup_seconds",
        "From an INVITE to its 2xx",
        sides().map(|(side, from)| (label("from", from), tally.set_ups(side))),
    )?;
    writer.counters(
        "rtcd_dispatched",
        "Where new dialogs went",
        Dispatched::ALL.map(|(to, name)| (label("to", name), tally.dispatches(to))),
    )
}

/// The counters of the protocol stacks of all peers.
fn stacks(writer: &mut Writer<'_>, node: &Node) -> fmt::Result {
    for (at, (name, help)) in Counters::NAMES.iter().enumerate() {
        let help = help.trim().trim_end_matches('.');
        writer.counter(&format!("rtcd_stack_{name}"), help, node.tally.stack(at))?;
    }
    Ok(())
}

/// What found no room, and what went wrong.
fn refusals(writer: &mut Writer<'_>, node: &Node) -> fmt::Result {
    let gauges = &node.gauges;
    let count = |counter: &AtomicU64| counter.load(Relaxed);
    writer.counters(
        "rtcd_no_room",
        "New requests that were refused, by the limit that refused them; see also rtcd_stack_refused_room",
        [
            ("limits.mailbox", count(&gauges.mailbox_refused)),
            ("limits.service_mailbox", count(&gauges.service_mailbox_refused)),
            ("limits.away_queue", count(&gauges.away_refused)),
            ("limits.task_legs", count(&gauges.legs_refused)),
            ("limits.address_requests", count(&gauges.refused_address_requests)),
            ("limits.user_requests", count(&gauges.refused_user_requests)),
        ]
        .map(|(limit, refused)| (label("key", limit), refused)),
    )?;
    let overload = &node.overload;
    writer.gauge(
        "rtcd_overloaded",
        "1 while new dialogs get 503 because work waits too long; see also rtcd_stack_refused_overload",
        i64::from(overload.is_overloaded()),
    )?;
    writer.counters(
        "rtcd_overloads",
        "How often that began, for the server as a whole, and for single peers that send too much",
        [("server", overload.times()), ("peer", overload.peers())]
            .map(|(whose, times)| (label("whose", whose), times)),
    )?;
    writer.gauge(
        "rtcd_lag_microseconds",
        "How long work that is ready waited for its turn, when it was last looked at",
        i64::try_from(overload.lag().as_micros()).unwrap_or(i64::MAX),
    )?;
    let [panicked, failed, timed_out] = &gauges.task_faults;
    writer.counters(
        "rtcd_task_faults",
        "Handlers of services that failed",
        [("panicked", panicked), ("failed", failed), ("timed_out", timed_out)]
            .map(|(why, faults)| (label("why", why), count(faults))),
    )?;
    writer.counter(
        "rtcd_long_turns",
        "Turns of actors that took 100 ms: a handler computes",
        count(&gauges.long_turns),
    )?;
    writer.counter(
        "rtcd_slow_readers",
        "Clients cut off because they read too slowly",
        count(&gauges.slow_readers),
    )?;
    writer.counters(
        "rtcd_closed",
        "WebSockets that ended, by why; `answer`: the other side closed it, or it broke",
        Closing::ALL.iter().zip(&gauges.closed).map(|((_, why), closed)| (label("why", *why), count(closed))),
    )
}

fn services(writer: &mut Writer<'_>, node: &Node) -> fmt::Result {
    let mut bindings = node.services().bindings();
    bindings.sort_by(|a, b| (&a.name, &a.implementation).cmp(&(&b.name, &b.implementation)));
    let labels = |name: &str, implementation: &str| -> Labels<'static> {
        vec![("service", name.to_owned().into()), ("implementation", implementation.to_owned().into())]
    };
    let using = bindings
        .iter()
        .map(|binding| (labels(&binding.name, &binding.implementation), binding.counts().1 as i64));
    writer.gauges("rtcd_service_tasks", "Live tasks of a service (`using`)", using)?;
    let used =
        bindings.iter().map(|binding| (labels(&binding.name, &binding.implementation), binding.counts().0));
    writer.counters("rtcd_service_tasks_ended", "Tasks of a service that have ended (`used`)", used)
}

/// HTTP on both sides.
fn http(writer: &mut Writer<'_>, node: &Node) -> fmt::Result {
    writer.counters(
        "rtcd_upgrades",
        "HTTP requests of clients, by the status of their answer; 101 are WebSockets",
        node.events.upgrades().into_iter().map(|(status, count)| (label("status", status), count)),
    )?;
    writer.counters(
        "rtcd_page_requests",
        "Requests for files of the page, by the status of their answer",
        node.events.files().into_iter().map(|(status, count)| (label("status", status), count)),
    )?;
    let gauges = &node.gauges;
    writer.counters(
        "rtcd_not_let_in",
        "Connections that were not let in, by the limit or the reason; nofile, over_limits_unanswered, tls_handshake and clientheadertimeout are those of both sides",
        [
            ("limits.connections", &gauges.refused_connections),
            ("limits.api_connections", &gauges.refused_callers),
            ("nofile", &gauges.refused_files),
            ("limits.address_connections", &gauges.refused_address_connections),
            ("limits.address_connects", &gauges.refused_address_connects),
            ("limits.user_connects", &gauges.refused_user_connects),
            ("draining", &gauges.refused_draining),
            ("origin", &gauges.refused_origins),
            ("authurl_refused", &gauges.auth_refused),
            ("authurl_failed", &gauges.auth_failed),
            ("rtc.max_auth", &gauges.auth_busy),
            ("over_limits_unanswered", &gauges.dropped_connections),
            ("tls_handshake", &gauges.failed_handshakes),
            ("clientheadertimeout", &gauges.slow_requests),
        ]
        .map(|(why, count)| (label("why", why), count.load(Relaxed))),
    )?;
    writer.counter(
        "rtcd_accept_errors",
        "Connections to either side that could not be accepted: no open file was left, or no memory",
        gauges.accept_errors.load(Relaxed),
    )?;
    writer.gauge(
        "rtcd_rtc_connections",
        "Connections to the RTC side that are open, WebSockets or not",
        node.visitors.connections() as i64,
    )?;
    writer.gauge(
        "rtcd_client_addresses",
        "Addresses of clients that are known",
        node.visitors.addresses() as i64,
    )?;
    let calls = node.events.calls().into_iter().map(|((api, status), count)| {
        (vec![("api", Cow::from(api)), ("status", Cow::from(status.to_string()))], count)
    });
    writer.counters("rtcd_api_calls", "Calls of APIs; `-` for what belongs to none", calls)
}

/// What operators do.
fn operation(writer: &mut Writer<'_>, control: &Control) -> fmt::Result {
    let node = control.node();
    let gauges = &node.gauges;
    let reloads = [("good", &gauges.reloads), ("bad", &gauges.bad_reloads)];
    writer.counters(
        "rtcd_reloads",
        "Reloads; a bad one changes nothing",
        reloads.map(|(result, count)| (label("result", result), count.load(Relaxed))),
    )?;
    let waiting = control.report().1.need_restart.len() as i64;
    writer.gauge("rtcd_settings_need_restart", "Settings whose new values wait for a restart", waiting)?;
    writer.gauge("rtcd_draining", "1 while the server goes down", i64::from(node.is_draining()))?;
    let dropped = control.logs().dropped();
    writer.counter(
        "rtcd_log_lines_dropped",
        "Log lines lost because the disk was full or too slow",
        dropped,
    )?;
    let version: Labels<'_> = vec![
        ("version", env!("CARGO_PKG_VERSION").into()),
        ("revision", option_env!("RTCD_REVISION").unwrap_or("unknown").into()),
    ];
    writer.gauges("rtcd_build", "What runs; always 1", [(version, 1)])
}

fn runtime(writer: &mut Writer<'_>, node: &Node) -> fmt::Result {
    writer.gauges(
        "rtcd_spawned",
        "Live tasks that are no actors, by kind",
        Kind::ALL.map(|kind| (label("kind", kind.name()), node.spawned.live(kind))),
    )?;
    // A scrape runs within the runtime.
    let Ok(handle) = tokio::runtime::Handle::try_current() else { return Ok(()) };
    let metrics = handle.metrics();
    let workers = metrics.num_workers();
    writer.gauge("rtcd_runtime_workers", "Threads that run tasks", workers as i64)?;
    writer.gauge("rtcd_runtime_alive_tasks", "Tasks of the process", metrics.num_alive_tasks() as i64)?;
    writer.gauge(
        "rtcd_runtime_global_queue",
        "Tasks that wait for a thread, in the queue of all threads",
        metrics.global_queue_depth() as i64,
    )?;
    writer.seconds(
        "rtcd_runtime_busy_seconds",
        "How long each thread was busy",
        (0..workers).map(|worker| {
            let busy = metrics.worker_total_busy_duration(worker).as_secs_f64();
            (label("worker", worker.to_string()), busy)
        }),
    )
}

/// Under the names that all programs use.
fn process(writer: &mut Writer<'_>, node: &Node) -> fmt::Result {
    let Process { resident_bytes, virtual_bytes, threads, open_fds, max_fds, cpu_seconds } = Process::now();
    for (name, help, value) in [
        ("process_resident_memory_bytes", "Memory in use", resident_bytes),
        ("process_virtual_memory_bytes", "Address space in use", virtual_bytes),
        ("process_threads", "Threads", threads),
        ("process_open_fds", "Open file descriptors", open_fds),
        ("process_max_fds", "How many may be open", max_fds),
    ] {
        if let Some(value) = value {
            writer.gauge(name, help, i64::try_from(value).unwrap_or(i64::MAX))?;
        }
    }
    if let Some(seconds) = cpu_seconds {
        writer.seconds("process_cpu_seconds", "Time on processors", [(Vec::new(), seconds)])?;
    }
    let started = node.started.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    writer.gauge("process_start_time_seconds", "When the process started, since 1970", started as i64)
}
