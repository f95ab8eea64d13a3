//! An HTTP API that greets whoever asks. Enabled as `template-name.v1`, it answers below `/template-name/v1`:
//!
//! ```text
//! $ curl http://localhost:2539/template-name/v1/greetings/Ann
//! {"code":0,"greeting":"Hello, Ann! This is template-name.","msg":"OK"}
//! ```

use rtcd_sdk::axum::Router;
use rtcd_sdk::axum::extract::Path;
use rtcd_sdk::axum::routing::get;
use rtcd_sdk::{Api, ApiContext, ApiResult, Envelope, register_api};

register_api!("template-name", TemplateName);

/// The API. What its handlers need goes into the router's state.
#[derive(Debug)]
pub struct TemplateName;

impl Api for TemplateName {
    fn router(_: ApiContext) -> Router {
        Router::new().route("/greetings/{name}", get(greeting))
    }
}

async fn greeting(Path(name): Path<String>) -> ApiResult {
    Envelope::ok().with("greeting", format!("Hello, {name}! This is template-name."))
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
