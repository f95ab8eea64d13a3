//! Who gets what.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use rtcd_sdk::extract::Query;
use rtcd_sdk::utoipa;
use rtcd_sdk::{ApiError, Envelope};
use serde_json::{Value, json};

use super::paging::{Paging, last_line};
use crate::api::answers::Pages;
use crate::api::table::{Form, Table};
use crate::control::Control;
use crate::inspect::page;

/// Dialogs and related ids → task.
#[utoipa::path(get, path = "/distribute", params(Paging), responses(Pages))]
pub(super) async fn distribute(
    State(control): State<Arc<Control>>,
    Query(paging): Query<Paging>,
    form: Form,
) -> Result<Response, ApiError> {
    let page = page(control.node(), &paging.ask()?).await;
    let mut rows: Vec<Vec<Value>> = Vec::new();
    for report in page.reports {
        let row = |kind: &str, (id, task): (String, String)| {
            vec![json!(kind), json!(id), json!(task), json!(report.peer)]
        };
        rows.extend(report.dialogs.into_iter().map(|dialog| row("dialog", dialog)));
        rows.extend(report.related.into_iter().map(|related| row("relid", related)));
    }
    let table = Table { name: "distribute", columns: &["kind", "id", "task", "peer"], rows };
    let next = page.next.map(|next| next.to_string());
    Ok(match form {
        Form::Text => (table.text() + &last_line(next.as_deref())).into_response(),
        Form::Json => Envelope::ok()
            .with(table.name, table.json())?
            .with("busy", page.busy)?
            .with("next", next)?
            .into_response(),
    })
}
