//! What runs, and since when.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use rtcd_sdk::utoipa;
use rtcd_sdk::{ApiError, Envelope, registered_apis, registered_slps};
use serde_json::{Value, json};

use crate::api::answers::Listing;
use crate::api::table::Form;
use crate::control::Control;

/// Version, revision, compiler, start, uptime, realm, and the services and APIs that are compiled in.
#[utoipa::path(get, path = "/version", responses(Listing))]
pub(super) async fn version(State(control): State<Arc<Control>>, form: Form) -> Result<Response, ApiError> {
    let node = control.node();
    let slps: Vec<&str> = registered_slps().iter().map(|entry| entry.implementation).collect();
    let apis: Vec<&str> = registered_apis().iter().map(|entry| entry.implementation).collect();
    let fields: [(&str, Value); 8] = [
        ("version", json!(env!("CARGO_PKG_VERSION"))),
        ("revision", json!(option_env!("RTCD_REVISION"))),
        ("rustc", json!(option_env!("RTCD_RUSTC"))),
        ("started", json!(humantime::format_rfc3339_seconds(node.started).to_string())),
        ("uptime_seconds", json!(node.started.elapsed().unwrap_or_default().as_secs())),
        ("realm", json!(node.realm)),
        ("slps", json!(slps)),
        ("apis", json!(apis)),
    ];
    Ok(match form {
        Form::Json => {
            Envelope::of(fields.into_iter().map(own).collect::<serde_json::Map<_, _>>())?.into_response()
        }
        Form::Text => {
            let line = |(name, value): (&str, Value)| match value {
                Value::String(text) => format!("{name}: {text}\n"),
                Value::Array(items) => {
                    let items: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
                    format!("{name}: {}\n", items.join(" "))
                }
                Value::Null => format!("{name}: unknown\n"),
                other => format!("{name}: {other}\n"),
            };
            fields.into_iter().map(line).collect::<String>().into_response()
        }
    })
}

fn own((name, value): (&str, Value)) -> (String, Value) {
    (name.to_owned(), value)
}
