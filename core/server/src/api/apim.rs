//! `/apim/v1`: which APIs are on.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use rtcd_sdk::extract::{Path, Query};
use rtcd_sdk::utoipa;
use rtcd_sdk::utoipa_axum::router::OpenApiRouter;
use rtcd_sdk::utoipa_axum::routes;
use rtcd_sdk::{ApiError, Audience};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answers::{ApiSwitched, Listing};
use super::table::{Form, Table, error, line};
use crate::control::{BUILT_IN, Control, SwitchError};

pub(super) fn router() -> OpenApiRouter<Arc<Control>> {
    OpenApiRouter::default().routes(routes!(list)).routes(routes!(load, remove))
}

/// `?file=IMPL`; a trailing `.so` is what the original's clients send.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct File {
    /// A compiled-in implementation.
    file: Option<String>,
}

impl File {
    pub(super) fn implementation(&self) -> Option<&str> {
        let file = self.file.as_deref()?;
        Some(file.strip_suffix(".so").unwrap_or(file)).filter(|name| !name.is_empty())
    }
}

/// The APIs that are on.
///
/// Those for `admin` are on this port, those for `user` on the RTC port, below `/api`.
#[utoipa::path(get, path = "/apis", responses(Listing))]
async fn list(State(control): State<Arc<Control>>, form: Form) -> Response {
    let table = control.node().routes().load();
    let mut rows: Vec<(String, Value, Audience)> =
        BUILT_IN.iter().map(|name| ((*name).to_owned(), Value::Null, Audience::Admin)).collect();
    rows.extend(
        table
            .apis
            .iter()
            .map(|(name, binding)| (name.clone(), json!(binding.implementation), binding.audience)),
    );
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    let rows = rows
        .into_iter()
        .map(|(name, implementation, audience)| {
            let from = if implementation.is_null() {
                "built in"
            } else if table.overlay.apis.contains_key(&name) {
                "switched"
            } else {
                "routes.yaml"
            };
            vec![json!(name), implementation, json!(audience.name()), json!(from)]
        })
        .collect();
    Table { name: "apis", columns: &["api", "implementation", "audience", "from"], rows }.into_response(form)
}

/// Enables an implementation under a name, `NAME.vN`.
#[utoipa::path(post, path = "/{name}", params(("name" = String, Path), File), responses(ApiSwitched))]
async fn load(
    State(control): State<Arc<Control>>,
    Path(name): Path<String>,
    Query(file): Query<File>,
    form: Form,
) -> Response {
    let Some(implementation) = file.implementation() else { return missing_file(form) };
    let switch = {
        let (name, implementation) = (name.clone(), implementation.to_owned());
        move |control: &Control| control.enable_api(&name, &implementation)
    };
    match control.switch(switch).await {
        Ok(()) => line(form, format!("Load API {name} {implementation} successd")),
        Err(problem) => refused(form, &problem),
    }
}

/// Disables an API.
#[utoipa::path(delete, path = "/{name}", params(("name" = String, Path)), responses(ApiSwitched))]
async fn remove(State(control): State<Arc<Control>>, Path(name): Path<String>, form: Form) -> Response {
    let switch = {
        let name = name.clone();
        move |control: &Control| control.disable_api(&name)
    };
    match control.switch(switch).await {
        Ok(()) => line(form, format!("Delete API {name} successd")),
        Err(SwitchError::BuiltIn(_)) => {
            refused_with(form, &SwitchError::BuiltIn(name.clone()), format!("Cannot delete api {name}"))
        }
        Err(problem) => refused(form, &problem),
    }
}

pub(super) fn missing_file(form: Form) -> Response {
    let api_error = ApiError::new(axum::http::StatusCode::BAD_REQUEST, 8, "Bad Request");
    error(form, api_error, "?file=IMPLEMENTATION is missing".to_owned())
}

pub(super) fn refused(form: Form, problem: &SwitchError) -> Response {
    refused_with(form, problem, problem.to_string())
}

fn refused_with(form: Form, problem: &SwitchError, text: String) -> Response {
    use axum::http::StatusCode;
    let (status, code, msg) = match problem {
        SwitchError::BadName(_) => (StatusCode::BAD_REQUEST, 8, "Bad Request"),
        SwitchError::UnknownImplementation(_) | SwitchError::NotEnabled(_) => {
            (StatusCode::NOT_FOUND, 9, "Not Found")
        }
        SwitchError::BuiltIn(_) => (StatusCode::CONFLICT, 10, "Conflict"),
        SwitchError::Failed(_) | SwitchError::State(_) => (StatusCode::INTERNAL_SERVER_ERROR, 4, "API Error"),
    };
    error(form, ApiError::new(status, code, msg), text)
}
