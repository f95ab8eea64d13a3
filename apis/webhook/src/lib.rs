//! Passes JSON on to HTTP servers that the settings name: an example of an API that calls another server.
//!
//! Enabled as `webhook.v1`, with `hooks: { oncall: "https://hooks.example.net/oncall" }` in `conf/webhook.yaml`:
//!
//! ```text
//! $ curl http://localhost:2539/webhook/v1/oncall -d '{"text":"no audio"}'
//! {"answer":{"id":7},"code":0,"msg":"OK","status":201}
//! ```
//!
//! The body goes on as it came, byte for byte. `status` and `answer` are the other server's, whatever it answered; a redirect is
//! an answer, too, and not followed. A caller chooses a name, never a URL.
//!
//! | own code | status | when |
//! |---|---|---|
//! | 100 | 404 | the settings have no such hook |
//! | 101 | 502 | the other server cannot be reached, or broke off |
//! | 102 | 502 | its answer is longer than `max_answer` |
//! | 103 | 504 | it has not answered in `timeout` |

mod settings;

use std::sync::Arc;

use rtcd_sdk::api_prelude::*;
use rtcd_sdk::reqwest::{Client, Error, header};
use rtcd_sdk::serde::Serialize;
use rtcd_sdk::serde_json::value::RawValue;
use rtcd_sdk::serde_json::{self, Value};

use self::settings::Settings;

register_api!("webhook", Webhook);

/// The API.
#[derive(Debug)]
pub struct Webhook;

impl Api for Webhook {
    fn router(cx: ApiContext) -> Result<OpenApiRouter, LoadError> {
        let settings = Settings::read(&cx)?;
        let hooks = Hooks { settings, client: cx.http() };
        Ok(OpenApiRouter::default().routes(routes!(pass_on)).with_state(Arc::new(hooks)))
    }
}

/// What the handlers share.
struct Hooks {
    settings: Settings,
    client: Client,
}

/// What the other server answered.
#[derive(Serialize, ToSchema)]
#[serde(crate = "rtcd_sdk::serde")]
struct Passed {
    status: u16,
    /// JSON if it reads as JSON, else a text.
    answer: Value,
}

/// Passes the body on, and the answer back.
#[utoipa::path(post, path = "/{hook}", params(("hook" = String, Path)), request_body = Value, responses(
    (status = 200, body = Answer<Passed>),
    (status = 404, description = "100: there is no such hook", body = ApiError),
    (status = 502, description = "101: cannot be reached; 102: its answer is too long", body = ApiError),
    (status = 504, description = "103: no answer in time", body = ApiError),
))]
async fn pass_on(
    State(hooks): State<Arc<Hooks>>,
    Path(name): Path<String>,
    Json(body): Json<Box<RawValue>>,
) -> Result<Answer<Passed>, ApiError> {
    let Settings { hooks: urls, timeout, max_answer } = &hooks.settings;
    let url = urls.get(&name).ok_or_else(|| ApiError::new(StatusCode::NOT_FOUND, 100, "No such hook"))?;
    let request = hooks.client.post(url.clone()).timeout(*timeout);
    let request = request.header(header::CONTENT_TYPE, "application/json").body(body.get().to_owned());
    let mut response = request.send().await.map_err(failed)?;
    let mut answer = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if answer.len() + chunk.len() > *max_answer {
            return Err(ApiError::new(StatusCode::BAD_GATEWAY, 102, "The answer is too long"));
        }
        answer.extend_from_slice(&chunk);
    }
    let text = || Value::String(String::from_utf8_lossy(&answer).into_owned());
    let answer = serde_json::from_slice(&answer).unwrap_or_else(|_| text());
    Ok(Answer::new(Passed { status: response.status().as_u16(), answer }))
}

/// Without the URL: it may hold a secret.
fn failed(error: Error) -> ApiError {
    if error.is_timeout() {
        return ApiError::new(StatusCode::GATEWAY_TIMEOUT, 103, "No answer in time");
    }
    let detail = error.without_url().to_string();
    ApiError::new(StatusCode::BAD_GATEWAY, 101, "The other server cannot be reached").with_detail(detail)
}
