//! An HTTP API that greets whoever asks. Enabled as `template-name.v1`, it answers below `/template-name/v1`:
//!
//! ```text
//! $ curl http://localhost:2539/template-name/v1/greetings/Ann
//! {"code":0,"greeting":"Hello, Ann! This is template-name.","msg":"OK"}
//! ```

use rtcd_sdk::api_prelude::*;
use rtcd_sdk::serde::Serialize;

register_api!("template-name", TemplateName);

/// The API. What its handlers need goes into the router's state.
#[derive(Debug)]
pub struct TemplateName;

impl Api for TemplateName {
    fn router(_: ApiContext) -> Result<OpenApiRouter, LoadError> {
        Ok(OpenApiRouter::default().routes(routes!(greeting)))
    }
}

/// The fields of the answer, beside `code` and `msg`.
#[derive(Serialize, ToSchema)]
#[serde(crate = "rtcd_sdk::serde")]
struct Greeting {
    greeting: String,
}

/// Greets.
#[utoipa::path(get, path = "/greetings/{name}", params(("name" = String, Path)), responses(
    (status = 200, body = Answer<Greeting>),
))]
async fn greeting(Path(name): Path<String>) -> Result<Answer<Greeting>, ApiError> {
    Ok(Answer::new(Greeting { greeting: format!("Hello, {name}! This is template-name.") }))
}

#[cfg(test)]
mod tests {
    use rtcd_sdk::axum::body::Body;
    use rtcd_sdk::axum::http::Request;
    use rtcd_sdk::harness::{ApiAnswer, call_api};
    use rtcd_sdk::serde_json::json;

    use super::*;

    #[test]
    fn a_greeting() {
        let request = Request::get("/greetings/Ann").body(Body::empty()).unwrap();
        let ApiAnswer { status, body } = call_api::<TemplateName>(request);
        let expected = json!({"code": 0, "msg": "OK", "greeting": "Hello, Ann! This is template-name."});
        assert_eq!((status.as_u16(), body), (200, expected));
    }

    #[test]
    fn nothing_else_is_there() {
        let request = Request::get("/").body(Body::empty()).unwrap();
        assert_eq!(call_api::<TemplateName>(request).status.as_u16(), 404);
    }
}
