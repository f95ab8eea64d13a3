//! `echo.v2`.

use std::collections::BTreeMap;
use std::sync::Arc;

use rtcd_sdk::api_prelude::*;
use rtcd_sdk::axum::http::{HeaderMap, HeaderName, Method, Uri};
use rtcd_sdk::serde::{Deserialize, Serialize};

use crate::v1::Echoed;

/// The second version: also answers the headers that its settings name.
#[derive(Debug)]
pub struct Echo2;

impl Api for Echo2 {
    fn router(cx: ApiContext) -> Result<OpenApiRouter, LoadError> {
        let settings: Settings = cx.settings()?;
        let chosen: Result<Vec<HeaderName>, _> = settings.headers.iter().map(|name| name.parse()).collect();
        let chosen =
            chosen.map_err(|error| LoadError::Refused(format!("conf/echo2.yaml: headers: {error}")))?;
        Ok(OpenApiRouter::default()
            .routes(routes!(root))
            .routes(routes!(echo))
            .with_state(Chosen(chosen.into())))
    }
}

/// `conf/echo2.yaml`.
#[derive(Deserialize)]
#[serde(crate = "rtcd_sdk::serde", deny_unknown_fields, default)]
struct Settings {
    /// Names of the headers that are answered.
    headers: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { headers: ["accept", "content-type", "user-agent"].map(str::to_owned).into() }
    }
}

/// What the handlers share.
#[derive(Clone)]
struct Chosen(Arc<[HeaderName]>);

impl Chosen {
    fn of(&self, headers: &HeaderMap) -> BTreeMap<String, String> {
        let text =
            |name| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        self.0.iter().filter_map(|name| Some((name.to_string(), text(name)?))).collect()
    }
}

/// The fields of the answer: those of the first version, and the headers.
#[derive(Serialize, ToSchema)]
#[serde(crate = "rtcd_sdk::serde")]
struct Echoed2 {
    #[serde(flatten)]
    first: Echoed,
    /// Those that were sent, of the ones that the settings name.
    headers: BTreeMap<String, String>,
}

/// Answers what it was sent, without a path.
#[utoipa::path(method(get, post), path = "/", request_body = Option<String>, responses((status = 200, body = Answer<Echoed2>)))]
async fn root(
    State(chosen): State<Chosen>,
    headers: HeaderMap,
    method: Method,
    uri: Uri,
    query: Query<BTreeMap<String, String>>,
    body: Bytes,
) -> Result<Answer<Echoed2>, ApiError> {
    let first = Echoed::new(&method, &uri, query, &body)?;
    Ok(Answer::new(Echoed2 { first, headers: chosen.of(&headers) }))
}

/// Answers what it was sent.
#[utoipa::path(method(get, post), path = "/{*path}", params(("path" = String, Path)), request_body = Option<String>,
    responses((status = 200, body = Answer<Echoed2>)))]
async fn echo(
    state: State<Chosen>,
    headers: HeaderMap,
    method: Method,
    uri: Uri,
    query: Query<BTreeMap<String, String>>,
    body: Bytes,
) -> Result<Answer<Echoed2>, ApiError> {
    root(state, headers, method, uri, query, body).await
}

#[cfg(test)]
mod tests {
    use rtcd_sdk::axum::body::Body;
    use rtcd_sdk::axum::http::Request;
    use rtcd_sdk::harness::ApiHarness;
    use rtcd_sdk::serde_json::json;

    use super::*;

    fn get() -> Request<Body> {
        let request = Request::get("/a").header("Accept", "text/html").header("X-Mine", "1");
        request.header("Authorization", "Bearer secret").body(Body::empty()).unwrap()
    }

    #[test]
    fn headers_are_those_of_the_settings() {
        let answer = ApiHarness::<Echo2>::new("").unwrap().call(get());
        assert_eq!(
            answer.body,
            json!({"code": 0, "msg": "OK", "method": "GET", "path": "/a", "query": {}, "headers": {"accept": "text/html"}})
        );
        let answer = ApiHarness::<Echo2>::new("headers: [X-Mine]").unwrap().call(get());
        assert_eq!(answer.body["headers"], json!({"x-mine": "1"}));
    }

    #[test]
    fn settings_that_do_not_fit() {
        let refusal = |yaml| ApiHarness::<Echo2>::new(yaml).unwrap_err().to_string();
        assert_eq!(refusal("headers: ['a b']"), "conf/echo2.yaml: headers: invalid HTTP header name");
        assert!(refusal("header: [accept]").starts_with("settings.yaml:1: unknown field `header`"));
    }
}
