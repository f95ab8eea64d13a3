//! `/slpm/v1`: which services are on.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use rtcd_sdk::extract::{Path, Query};
use rtcd_sdk::utoipa;
use rtcd_sdk::utoipa_axum::router::OpenApiRouter;
use rtcd_sdk::utoipa_axum::routes;
use serde_json::json;

use super::answers::{Listing, Switched};
use super::apim::{File, missing_file, refused};
use super::table::{Form, Table, line};
use crate::control::Control;

pub(super) fn router() -> OpenApiRouter<Arc<Control>> {
    OpenApiRouter::default().routes(routes!(list)).routes(routes!(load, remove))
}

/// The services that are on: tasks that have ended, tasks that live, implementation, since when.
#[utoipa::path(get, path = "/slps", responses(Listing))]
async fn list(State(control): State<Arc<Control>>, form: Form) -> Response {
    let table = control.node().routes().load();
    let in_force = table.slps.values().map(|binding| {
        let switched = table.overlay.slps.contains_key(&binding.name);
        (binding.clone(), if switched { "switched" } else { "routes.yaml" })
    });
    // Their tasks live on.
    let replaced = control.node().services().replaced(&table.slps);
    let rows = in_force
        .chain(replaced.into_iter().map(|binding| (binding, "replaced")))
        .map(|(binding, from)| {
            let (used, using) = binding.counts();
            vec![
                json!(binding.name),
                json!(used),
                json!(using),
                json!(binding.implementation),
                json!(humantime::format_rfc3339_seconds(binding.since).to_string()),
                json!(from),
            ]
        })
        .collect();
    Table { name: "slps", columns: &["slp", "used", "using", "implementation", "loaded", "from"], rows }
        .into_response(form)
}

/// Binds a name to an implementation. Live tasks go on.
#[utoipa::path(post, path = "/{name}", params(("name" = String, Path), File), responses(Switched))]
async fn load(
    State(control): State<Arc<Control>>,
    Path(name): Path<String>,
    Query(file): Query<File>,
    form: Form,
) -> Response {
    let Some(implementation) = file.implementation() else { return missing_file(form) };
    let switch = {
        let (name, implementation) = (name.clone(), implementation.to_owned());
        move |control: &Control| control.enable_slp(&name, &implementation)
    };
    match control.switch(switch).await {
        Ok(()) => line(form, format!("Load SLP {name} {implementation} successd")),
        Err(problem) => refused(form, &problem),
    }
}

/// Disables a service: new dialogs get 404, live tasks go on.
#[utoipa::path(delete, path = "/{name}", params(("name" = String, Path)), responses(Switched))]
async fn remove(State(control): State<Arc<Control>>, Path(name): Path<String>, form: Form) -> Response {
    let switch = {
        let name = name.clone();
        move |control: &Control| control.disable_slp(&name)
    };
    match control.switch(switch).await {
        Ok(()) => line(form, format!("Delete SLP {name} successd")),
        Err(problem) => refused(form, &problem),
    }
}
