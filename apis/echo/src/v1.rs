//! `echo.v1`.

use std::collections::BTreeMap;

use rtcd_sdk::api_prelude::*;
use rtcd_sdk::axum::http::{Method, Uri};
use rtcd_sdk::serde::Serialize;
use rtcd_sdk::serde_json::{self, Value};

/// The first version. It has neither settings nor state; [`Echo2`](crate::Echo2) has both.
#[derive(Debug)]
pub struct Echo;

impl Api for Echo {
    fn router(_: ApiContext) -> Result<OpenApiRouter, LoadError> {
        Ok(OpenApiRouter::default().routes(routes!(root)).routes(routes!(echo)))
    }
}

/// The fields of the answer, beside `code` and `msg`.
#[derive(Serialize, ToSchema)]
#[serde(crate = "rtcd_sdk::serde")]
pub(crate) struct Echoed {
    method: String,
    path: String,
    query: BTreeMap<String, String>,
    /// JSON if it reads as JSON, else a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Value>,
}

/// Answers what it was sent, without a path.
#[utoipa::path(method(get, post), path = "/", request_body = Option<String>, responses((status = 200, body = Answer<Echoed>)))]
async fn root(
    method: Method,
    uri: Uri,
    query: Query<BTreeMap<String, String>>,
    body: Bytes,
) -> Result<Answer<Echoed>, ApiError> {
    Echoed::new(&method, &uri, query, &body).map(Answer::new)
}

/// Answers what it was sent.
#[utoipa::path(method(get, post), path = "/{*path}", params(("path" = String, Path)), request_body = Option<String>,
    responses((status = 200, body = Answer<Echoed>)))]
async fn echo(
    method: Method,
    uri: Uri,
    query: Query<BTreeMap<String, String>>,
    body: Bytes,
) -> Result<Answer<Echoed>, ApiError> {
    Echoed::new(&method, &uri, query, &body).map(Answer::new)
}

impl Echoed {
    pub(crate) fn new(
        method: &Method,
        uri: &Uri,
        query: Query<BTreeMap<String, String>>,
        body: &Bytes,
    ) -> Result<Self, ApiError> {
        Ok(Self {
            method: method.to_string(),
            path: uri.path().to_owned(),
            query: query.0,
            body: read(&body.0)?,
        })
    }
}

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
