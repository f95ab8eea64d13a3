//! What is in force.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use rtcd_sdk::utoipa;
use rtcd_sdk::{ApiError, Envelope};
use serde_json::{Value, json};

use crate::api::answers::Listing;
use crate::api::table::{Form, Table};
use crate::config::Entry;
use crate::control::{Control, ReloadReport, ShownTable};

/// The settings in force, each with where it comes from and whether a reload changes it (secrets are not shown); how the reloads
/// went; the routing table in force.
#[utoipa::path(get, path = "/config", responses(Listing))]
pub(super) async fn config(State(control): State<Arc<Control>>, form: Form) -> Result<Response, ApiError> {
    let (effective, reloads) = control.report();
    let settings = settings(effective.entries(&control.node().live().settings));
    let table = control.table();
    Ok(match form {
        Form::Text => {
            [settings.text(), reloads_text(&reloads), routes_text(table)].join("\n").into_response()
        }
        Form::Json => Envelope::ok()
            .with(settings.name, settings.json())?
            .with("reloads", reloads_json(&reloads))?
            .with("routes", table)?
            .into_response(),
    })
}

fn settings(entries: Vec<Entry>) -> Table {
    let rows = entries
        .into_iter()
        .map(|Entry { key, value, source, reloads }| vec![json!(key), value, json!(source), json!(reloads)])
        .collect();
    Table { name: "settings", columns: &["key", "value", "source", "reloads"], rows }
}

fn last(report: &ReloadReport) -> Option<String> {
    report.last.map(|last| humantime::format_rfc3339_seconds(last).to_string())
}

fn reloads_json(report: &ReloadReport) -> Value {
    json!({
        "good": report.good,
        "bad": report.bad,
        "last": last(report),
        "problems": report.problems,
        "need_restart": report.need_restart,
    })
}

fn reloads_text(report: &ReloadReport) -> String {
    let mut text = format!("reloads: {} good, {} bad", report.good, report.bad);
    if let Some(last) = last(report) {
        text += &format!(", the last at {last}");
    }
    text += "\n";
    for problem in &report.problems {
        text += &format!("  {problem}\n");
    }
    for key in &report.need_restart {
        text += &format!("  {key}: its new value waits for a restart\n");
    }
    text
}

fn routes_text(table: ShownTable) -> String {
    let mut rows = Vec::new();
    let mut row = |kind: &str, what: String, to: String, from: String| {
        rows.push(vec![json!(kind), json!(what), json!(to), json!(from)]);
    };
    for slp in table.slps {
        row("slp", slp.name, slp.implementation, slp.from);
    }
    for rule in table.rules {
        row("route", rule.when, rule.slp, rule.from);
    }
    for api in table.apis {
        row("api", api.name, api.implementation, api.from);
    }
    for hop in table.hops {
        row("hop", hop.pattern, String::new(), hop.from);
    }
    Table { name: "routes", columns: &["kind", "what", "to", "from"], rows }.text()
}
