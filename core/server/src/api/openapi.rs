//! `/openapi.json`: what the built-in APIs and those that are on can do, in one document. APIs for users are told by their paths, and
//! each says that it is on the RTC port.

use std::sync::Arc;

use axum::extract::{Extension, State};
use rtcd_sdk::host::{Place, document};
use rtcd_sdk::utoipa::openapi::OpenApi;
use rtcd_sdk::{Audience, LoadError, utoipa};
use serde_json::{Map, Value, json};

use super::user::BELOW;
use crate::config::RtcSettings;
use crate::control::Control;

/// The documentation of one API, with names and paths that no other API has.
#[derive(Debug, Default)]
pub(crate) struct Description {
    paths: Map<String, Value>,
    schemas: Map<String, Value>,
    responses: Map<String, Value>,
}

impl Description {
    /// Of the APIs that are always there.
    pub(crate) fn built_in(mut openapi: OpenApi) -> Result<Self, LoadError> {
        document(&mut openapi, Place::BuiltIn)?;
        Self::new("", None, Audience::Admin, &openapi)
    }

    /// Of an API enabled as `NAME.vN`.
    pub(crate) fn plugin(name: &str, audience: Audience, openapi: &OpenApi) -> Result<Self, LoadError> {
        let below = match audience {
            Audience::Admin => "",
            Audience::User => BELOW,
        };
        Self::new(&format!("{below}/{}", name.replacen('.', "/", 1)), Some(name), audience, openapi)
    }

    fn new(
        prefix: &str,
        scope: Option<&str>,
        audience: Audience,
        openapi: &OpenApi,
    ) -> Result<Self, LoadError> {
        let mut whole = serde_json::to_value(openapi)
            .map_err(|error| LoadError::Refused(format!("its documentation is no JSON: {error}")))?;
        if let Some(scope) = scope {
            rename_references(&mut whole, scope);
        }
        let mut described = Self::default();
        for (path, mut operations) in objects(&mut whole, "/paths") {
            for (method, operation) in operations.as_object_mut().into_iter().flatten() {
                let tag = scope.map_or_else(|| tag_of(&path), str::to_owned);
                // An operation may stand for several methods, and each id once only.
                let id = operation.get("operationId").and_then(Value::as_str).unwrap_or(&path);
                let id = format!("{tag}.{id}.{method}");
                if let Some(operation) = operation.as_object_mut() {
                    operation.insert("operationId".to_owned(), Value::String(id));
                    operation.insert("tags".to_owned(), json!([tag]));
                    if audience == Audience::User {
                        operation.insert("security".to_owned(), json!([{"user": []}]));
                    }
                }
            }
            // OpenAPI knows no wildcards: `{*path}` is `{path}` there.
            let path = path.replace("{*", "{");
            let path = if path == "/" && !prefix.is_empty() { "" } else { &path };
            described.paths.insert(format!("{prefix}{path}"), operations);
        }
        for (kind, into) in [("schemas", &mut described.schemas), ("responses", &mut described.responses)] {
            for (name, value) in objects(&mut whole, &format!("/components/{kind}")) {
                into.insert(scope.and_then(|scope| scoped(scope, &name)).unwrap_or(name), value);
            }
        }
        Ok(described)
    }
}

/// `/apim/v1/…` → `apim.v1`; what lies outside of APIs belongs to the server.
fn tag_of(path: &str) -> String {
    let mut parts = path.trim_start_matches('/').split('/');
    match (parts.next(), parts.next()) {
        (Some(name), Some(version)) => format!("{name}.{version}"),
        _ => "server".to_owned(),
    }
}

/// The members of an object inside the document, taken out.
fn objects(whole: &mut Value, pointer: &str) -> Map<String, Value> {
    match whole.pointer_mut(pointer).map(Value::take) {
        Some(Value::Object(members)) => members,
        _ => Map::new(),
    }
}

/// The name of an API's own component among those of others. The SDK's are everybody's.
fn scoped(scope: &str, name: &str) -> Option<String> {
    const SHARED: [&str; 12] = [
        "ApiError",
        "Envelope",
        "BadRequest",
        "Failed",
        "Forbidden",
        "GoingDown",
        "NotFound",
        "NotSignedIn",
        "OtherOrigin",
        "TooLarge",
        "TooMany",
        "Unauthorized",
    ];
    (!SHARED.contains(&name)).then(|| format!("{scope}.{name}"))
}

fn rename_references(value: &mut Value, scope: &str) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                match member {
                    Value::String(target) if key == "$ref" => {
                        if let Some((place, name)) = target.rsplit_once('/')
                            && let Some(name) = scoped(scope, name)
                        {
                            *target = format!("{place}/{name}");
                        }
                    }
                    other => rename_references(other, scope),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename_references(item, scope)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// This document: OpenAPI 3.1.
#[utoipa::path(get, path = "/openapi.json", responses((status = 200, description = "OpenAPI 3.1", body = Object)))]
pub(super) async fn openapi(
    State(control): State<Arc<Control>>,
    Extension(built_in): Extension<Arc<Description>>,
) -> axum::Json<Value> {
    let table = control.node().routes().load();
    let live = control.node().live().clone();
    let mut whole = Description::default();
    let plugins = table.apis.values().map(|binding| (&*binding.description, binding.audience));
    for (described, audience) in plugins.chain([(&*built_in, Audience::Admin)]) {
        let mut paths = described.paths.clone();
        if audience == Audience::User {
            for path in paths.values_mut().filter_map(Value::as_object_mut) {
                path.insert("servers".to_owned(), json!([rtc_server(&live.settings.rtc)]));
            }
        }
        whole.paths.extend(paths);
        whole.schemas.extend(described.schemas.clone());
        whole.responses.extend(described.responses.clone());
    }
    axum::Json(json!({
        "openapi": "3.1.0",
        "info": {
            "title": "rtcd",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The built-in APIs and those that are enabled now.",
        },
        "security": [{"bearer": []}, {}],
        "paths": whole.paths,
        "components": {
            "schemas": whole.schemas,
            "responses": whole.responses,
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Needed when `api.token` is set or `access.v1` is enabled.",
                },
                "user": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The token of a user who is signed in. A service gives it over the user's own socket; it is good for `rtc.token_lifetime`.",
                },
            },
        },
    }))
}

/// Where APIs for users are. Under which name clients know this server, it does not know itself.
fn rtc_server(rtc: &RtcSettings) -> Value {
    json!({
        "url": "{scheme}://{host}:{port}",
        "description": "The RTC port (`rtc.listen`), or the one with TLS (`rtc.tlslisten`)",
        "variables": {
            "scheme": {"default": "http", "enum": ["http", "https"]},
            "host": {"default": "localhost"},
            "port": {"default": rtc.listen.port().to_string()},
        },
    })
}
