//! Every live task of the process, and what it waits for.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use rtcd_sdk::extract::Query;
use rtcd_sdk::utoipa;
use rtcd_sdk::{ApiError, Envelope};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::runtime::{Handle, RuntimeMetrics};

use super::paging::{Paging, last_line, number};
use crate::actor::Report;
use crate::api::answers::Pages;
use crate::api::table::{Form, Table};
use crate::control::Control;
use crate::inspect::page;
use crate::spawn::Kind;

/// Which kind of tasks.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct OfKind {
    /// Only tasks of this kind: `listener`, `connection`, `upgrade`, `closer`, `dial`, `handler`; `peer`, `hop`, `service`; or
    /// `task`.
    kind: Option<String>,
}

/// What actors and the tasks that they host are called.
const HOSTED: [&str; 4] = ["peer", "hop", "service", "task"];

/// Every live task: kind, name, age, what it waits for. First what the server has spawned for a purpose, then the actors of peers,
/// each with the tasks of services that live with it.
#[utoipa::path(get, path = "/stack", params(Paging, OfKind), responses(Pages))]
pub(super) async fn stack(
    State(control): State<Arc<Control>>,
    Query(paging): Query<Paging>,
    Query(OfKind { kind }): Query<OfKind>,
    form: Form,
) -> Result<Response, ApiError> {
    let node = control.node();
    let limit = paging.limit()?;
    let kind = kind.as_deref();
    let spawned = kind.and_then(|name| Kind::ALL.into_iter().find(|kind| kind.name() == name));
    if let Some(kind) = kind
        && spawned.is_none()
        && !HOSTED.contains(&kind)
    {
        let all = Kind::ALL.iter().map(|kind| kind.name()).chain(HOSTED).collect::<Vec<_>>().join(", ");
        return Err(ApiError::bad_request(format!("kind: must be one of {all}")));
    }
    // A page begins among the spawned tasks, or, behind an `a`, among the actors.
    let (first, actors_after) = match paging.after() {
        None => (Some(0), 0),
        Some(after) => match after.strip_prefix('a') {
            Some(after) => (None, number(after)?),
            None => (Some(number(after)?), 0),
        },
    };
    let mut rows = Vec::new();
    let mut next = None;
    if let Some(first) = first
        && !paging.is_filtered()
        && (kind.is_none() || spawned.is_some())
    {
        let mut found = node.spawned.after(first, spawned, limit + 1);
        if found.len() > limit {
            found.truncate(limit);
            next = found.last().map(|(number, _)| number.to_string());
        }
        rows.extend(
            found
                .iter()
                .map(|(_, task)| row(task.kind.name(), &task.name(), task.age_seconds(), task.waits_for())),
        );
    }
    let mut busy = Vec::new();
    if next.is_none() && spawned.is_none() {
        // The page goes on with actors, as far as there is room.
        let rest = limit.saturating_sub(rows.len()).max(1);
        let page = page(node, &paging.from(actors_after, rest)).await;
        rows.extend(page.reports.iter().flat_map(|report| of_actor(report, kind)));
        busy = page.busy;
        next = page.next.map(|next| format!("a{next}"));
    }
    let table = Table { name: "stack", columns: &["kind", "name", "age", "waits for"], rows };
    let runtime = Runtime::new(&Handle::current().metrics());
    Ok(match form {
        Form::Text => (runtime.text() + &table.text() + &last_line(next.as_deref())).into_response(),
        Form::Json => Envelope::ok()
            .with("runtime", runtime.json())?
            .with(table.name, table.json())?
            .with("busy", busy)?
            .with("next", next)?
            .into_response(),
    })
}

fn row(kind: &str, name: &str, age: u64, waits_for: &str) -> Vec<Value> {
    vec![json!(kind), json!(name), json!(age), json!(waits_for)]
}

fn of_actor(report: &Report, kind: Option<&str>) -> Vec<Vec<Value>> {
    let shown = |name: &str| kind.is_none_or(|kind| kind == name);
    let mut rows = Vec::new();
    if shown(report.kind) {
        let waits_for = match (report.kind, &report.remote) {
            ("service", _) => "mail, timers",
            (_, Some(_)) => "frames, mail, timers",
            (_, None) => "a connection, mail, timers",
        };
        rows.push(row(report.kind, &report.peer, report.age_seconds, waits_for));
    }
    if shown("task") {
        let task_rows = report.tasks.iter().map(|task| {
            let name = format!("{} of {}", task.name, report.peer);
            row("task", &name, task.age_seconds, task.waits_for)
        });
        rows.extend(task_rows);
    }
    rows
}

/// What tokio says of itself.
struct Runtime {
    workers: usize,
    alive_tasks: usize,
    global_queue: usize,
    busy_seconds: Vec<f64>,
}

impl Runtime {
    fn new(metrics: &RuntimeMetrics) -> Self {
        let workers = metrics.num_workers();
        let busy = |worker| metrics.worker_total_busy_duration(worker).as_secs_f64();
        Self {
            workers,
            alive_tasks: metrics.num_alive_tasks(),
            global_queue: metrics.global_queue_depth(),
            busy_seconds: (0..workers).map(busy).collect(),
        }
    }

    fn text(&self) -> String {
        let mut text = format!(
            "workers: {}\nalive tasks: {}\nglobal queue: {}\nbusy:",
            self.workers, self.alive_tasks, self.global_queue
        );
        for seconds in &self.busy_seconds {
            // Writing to a string does not fail.
            let _ = write!(text, " {seconds:.3} s");
        }
        text + "\n\n"
    }

    fn json(&self) -> Value {
        json!({
            "workers": self.workers,
            "alive_tasks": self.alive_tasks,
            "global_queue": self.global_queue,
            "busy_seconds": self.busy_seconds,
        })
    }
}
