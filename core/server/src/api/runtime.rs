//! `/runtime/v1`: what is going on.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use rtcd_sdk::Envelope;
use rtcd_sdk::utoipa;
use rtcd_sdk::utoipa_axum::router::OpenApiRouter;
use rtcd_sdk::utoipa_axum::routes;
use serde_json::{Value, json};

use super::answers::Listing;
use super::table::{Form, Table};
use crate::control::Control;
use crate::inspect::reports;

/// Peers that a listing shows.
const PEERS: usize = 1000;

pub(super) fn router() -> OpenApiRouter<Arc<Control>> {
    OpenApiRouter::default().routes(routes!(jstack)).routes(routes!(distribute))
}

/// Counts of all, and the ids of what the first peers have.
#[utoipa::path(get, path = "/jstack", responses(Listing))]
async fn jstack(State(control): State<Arc<Control>>, form: Form) -> Response {
    let node = control.node();
    let gauges = &node.gauges;
    let counts = [
        ("connections", gauges.connections.load(Relaxed)),
        ("peers", gauges.peers.load(Relaxed)),
        ("dialogs", gauges.dialogs.load(Relaxed)),
        ("sessions", gauges.sessions.load(Relaxed)),
        ("transactions", gauges.transactions.load(Relaxed)),
        ("lingering", gauges.lingering.load(Relaxed)),
        ("queued", gauges.queued.load(Relaxed)),
        ("tasks", gauges.tasks.load(Relaxed)),
    ];
    let reports = reports(node, PEERS).await;
    match form {
        Form::Text => {
            let mut text = String::new();
            for (name, count) in counts {
                text += &format!("{name}: {count}\n");
            }
            for report in reports {
                let remote = report.remote.as_deref().unwrap_or("-");
                text += &format!("\npeer {} {remote}\n", report.peer);
                for session in &report.sessions {
                    text += &format!("  session {session}\n");
                }
                for transaction in &report.transactions {
                    text += &format!("  transaction {transaction}\n");
                }
                for task in &report.tasks {
                    text += &format!(
                        "  task {}: {} legs, {} s, {}\n",
                        task.name, task.legs, task.age_seconds, task.doing
                    );
                }
            }
            text.into_response()
        }
        Form::Json => {
            let peers: Vec<Value> = reports
                .into_iter()
                .map(|report| {
                    json!({
                        "peer": report.peer,
                        "remote": report.remote,
                        "sessions": report.sessions,
                        "transactions": report.transactions,
                        "tasks": report.tasks.iter().map(|task| &task.name).collect::<Vec<_>>(),
                    })
                })
                .collect();
            let counts: serde_json::Map<String, Value> =
                counts.into_iter().map(|(name, count)| (name.to_owned(), json!(count))).collect();
            Envelope::of(counts).and_then(|envelope| envelope.with("list", peers)).into_response()
        }
    }
}

/// Dialogs and related ids → task.
#[utoipa::path(get, path = "/distribute", responses(Listing))]
async fn distribute(State(control): State<Arc<Control>>, form: Form) -> Response {
    let node = control.node();
    let mut rows: Vec<Vec<Value>> = Vec::new();
    for report in reports(node, PEERS).await {
        rows.extend(
            report
                .dialogs
                .into_iter()
                .map(|(dialog, task)| vec![json!("dialog"), json!(dialog), json!(task), json!(report.peer)]),
        );
    }
    rows.extend(node.related.all().into_iter().map(|(id, target)| {
        vec![
            json!("relid"),
            json!(id),
            json!(format!("{} of {}", target.task, target.home.name())),
            Value::Null,
        ]
    }));
    Table { name: "distribute", columns: &["kind", "id", "task", "peer"], rows }.into_response(form)
}
