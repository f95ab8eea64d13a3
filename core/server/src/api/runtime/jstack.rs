//! Counts of all, and what each peer has.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use rtcd_sdk::extract::Query;
use rtcd_sdk::utoipa;
use rtcd_sdk::{ApiError, Envelope};
use serde_json::{Value, json};

use super::paging::{Paging, last_line};
use crate::actor::Report;
use crate::api::answers::Pages;
use crate::api::table::Form;
use crate::control::Control;
use crate::gauges::Gauges;
use crate::inspect::{Page, page};
use crate::logs::visible;

/// Counts of all, and the sessions, transactions and tasks of some peers.
#[utoipa::path(get, path = "/jstack", params(Paging), responses(Pages))]
pub(super) async fn jstack(
    State(control): State<Arc<Control>>,
    Query(paging): Query<Paging>,
    form: Form,
) -> Result<Response, ApiError> {
    let node = control.node();
    let ask = paging.ask()?;
    let page = page(node, &ask).await;
    let counts = counts(&node.gauges);
    Ok(match form {
        Form::Text => text(&counts, &page).into_response(),
        Form::Json => {
            let counts: serde_json::Map<String, Value> =
                counts.into_iter().map(|(name, count)| (name.to_owned(), json!(count))).collect();
            let peers: Vec<Value> = page.reports.iter().map(peer).collect();
            Envelope::of(counts)?
                .with("list", peers)?
                .with("busy", page.busy)?
                .with("next", page.next.map(|next| next.to_string()))?
                .into_response()
        }
    })
}

fn counts(gauges: &Gauges) -> [(&'static str, i64); 8] {
    [
        ("connections", gauges.connections.load(Relaxed)),
        ("peers", gauges.peers.load(Relaxed)),
        ("dialogs", gauges.dialogs.load(Relaxed)),
        ("sessions", gauges.sessions.load(Relaxed)),
        ("transactions", gauges.transactions.load(Relaxed)),
        ("lingering", gauges.lingering.load(Relaxed)),
        ("queued", gauges.queued.load(Relaxed)),
        ("tasks", gauges.tasks.load(Relaxed)),
    ]
}

fn text(counts: &[(&str, i64)], page: &Page) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    for (name, count) in counts {
        let _ = writeln!(text, "{name}: {count}");
    }
    for report in &page.reports {
        let remote = report.remote.as_deref().unwrap_or("-");
        let _ = writeln!(text, "\npeer {} {remote}", visible(&report.peer));
        for session in &report.sessions {
            let _ = writeln!(text, "  session {}", visible(session));
        }
        for transaction in &report.transactions {
            let _ = writeln!(text, "  transaction {}", visible(transaction));
        }
        for task in &report.tasks {
            let (name, legs, age) = (visible(&task.name), task.legs, task.age_seconds);
            let _ = writeln!(text, "  task {name}: {legs} legs, {age} s, waits for {}", task.waits_for);
        }
        if report.cut {
            let _ = writeln!(text, "  and more; {} dialogs in all", report.counts.dialogs);
        }
    }
    for peer in &page.busy {
        let _ = writeln!(text, "\npeer {} is busy", visible(peer));
    }
    text + &last_line(page.next.map(|next| next.to_string()).as_deref())
}

fn peer(report: &Report) -> Value {
    json!({
        "peer": report.peer,
        "remote": report.remote,
        "dialogs": report.counts.dialogs,
        "cut": report.cut,
        "queued": report.counts.queued,
        "sessions": report.sessions,
        "transactions": report.transactions,
        "tasks": report.tasks.iter().map(|task| &task.name).collect::<Vec<_>>(),
    })
}
