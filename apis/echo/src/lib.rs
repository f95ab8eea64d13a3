//! An HTTP API to copy: answers what it was sent.
//!
//! Enabled as `echo.v1`, it answers below `/echo/v1`:
//!
//! ```text
//! $ curl 'http://localhost:2539/echo/v1/a/b?x=1' -d '{"n":1}'
//! {"body":{"n":1},"code":0,"method":"POST","msg":"OK","path":"/a/b","query":{"x":"1"}}
//! ```
//!
//! `body` is JSON if it reads as JSON, else a text, and missing if there is none.

use std::collections::BTreeMap;

use rtcd_sdk::axum::Router;
use rtcd_sdk::axum::body::Bytes;
use rtcd_sdk::axum::extract::Query;
use rtcd_sdk::axum::http::{Method, StatusCode, Uri};
use rtcd_sdk::axum::routing::get;
use rtcd_sdk::serde::Serialize;
use rtcd_sdk::serde_json::{self, Value};
use rtcd_sdk::{Api, ApiContext, ApiError, ApiResult, Envelope, register_api};

register_api!("echo", Echo);

/// The API. It has nothing of its own: an API of a service puts its [`ApiContext`] into the router's state.
#[derive(Debug)]
pub struct Echo;

impl Api for Echo {
    fn router(_: ApiContext) -> Router {
        Router::new().route("/", get(echo).post(echo)).route("/{*path}", get(echo).post(echo))
    }
}

/// The fields of the answer, beside `code` and `msg`.
#[derive(Serialize)]
#[serde(crate = "rtcd_sdk::serde")]
struct Echoed<'a> {
    method: &'a str,
    path: &'a str,
    query: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Value>,
}

async fn echo(
    method: Method,
    uri: Uri,
    Query(query): Query<BTreeMap<String, String>>,
    body: Bytes,
) -> ApiResult {
    let echoed = Echoed { method: method.as_str(), path: uri.path(), query, body: read(&body)? };
    Envelope::of(echoed)
}

/// Own code 100: the body is no text.
fn read(body: &[u8]) -> Result<Option<Value>, ApiError> {
    if body.is_empty() {
        return Ok(None);
    }
    let text = str::from_utf8(body).map_err(|error| {
        ApiError::new(StatusCode::BAD_REQUEST, 100, "The body is not UTF-8").with_detail(error.to_string())
    })?;
    Ok(Some(serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))))
}

#[cfg(test)]
mod tests {
    use rtcd_sdk::axum::body::Body;
    use rtcd_sdk::axum::http::Request;
    use rtcd_sdk::harness::{ApiAnswer, call_api};
    use rtcd_sdk::serde_json::json;

    use super::*;

    fn call(request: Request<Body>) -> (u16, Value) {
        let ApiAnswer { status, body } = call_api::<Echo>(request);
        (status.as_u16(), body)
    }

    #[test]
    fn a_get_without_a_body() {
        let request = Request::get("/a/b?x=1&y=%20").body(Body::empty()).unwrap();
        let expected =
            json!({"code": 0, "msg": "OK", "method": "GET", "path": "/a/b", "query": {"x": "1", "y": " "}});
        assert_eq!(call(request), (200, expected));
    }

    #[test]
    fn a_body_of_json_and_one_of_text() {
        let request = Request::post("/").body(Body::from(r#"{"n": [1]}"#)).unwrap();
        assert_eq!(call(request).1["body"], json!({"n": [1]}));
        let request = Request::post("/").body(Body::from("plain text")).unwrap();
        assert_eq!(call(request).1["body"], json!("plain text"));
    }

    #[test]
    fn a_body_that_is_no_text() {
        let request = Request::post("/").body(Body::from(vec![0xff])).unwrap();
        let (status, body) = call(request);
        assert_eq!(
            (status, &body["code"], &body["msg"]),
            (400, &json!(100), &json!("The body is not UTF-8"))
        );
    }

    #[test]
    fn another_method() {
        let request = Request::delete("/").body(Body::empty()).unwrap();
        assert_eq!(call(request), (405, json!({"code": 2, "msg": "Unsupported Method"})));
    }
}
