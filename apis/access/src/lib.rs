//! The gate: which bearer token may call which API. Enabled as `access.v1`, it is asked about each call on the API port.
//!
//! The question is a POST with `{"admin":false,"method":"GET","url":"/echo/v1/x?y","headers":{"Authorization":["Bearer …"]},…}`:
//!
//! | answer | when |
//! |---|---|
//! | 200, `"name"` | the token's name in `conf/access.yaml` and one of its `allow` covers method and path; or `admin` is true |
//! | 401 | there is no bearer token |
//! | 403 | nobody has this token, or it does not allow the call |
//!
//! It refuses to be enabled when a token is short, or two are equal. Tokens appear in no log and no error.

mod settings;

use std::collections::BTreeMap;
use std::sync::Arc;

use rtcd_sdk::api_prelude::*;
use rtcd_sdk::secret;
use rtcd_sdk::serde::{Deserialize, Serialize};

use self::settings::Token;

register_api!("access", Access);

/// The API.
#[derive(Debug)]
pub struct Access;

impl Api for Access {
    fn router(cx: ApiContext) -> Result<OpenApiRouter, LoadError> {
        let tokens: Arc<[Token]> = settings::read(&cx)?.into();
        Ok(OpenApiRouter::default().routes(routes!(decide)).with_state(tokens))
    }
}

/// A call that somebody wants to make.
#[derive(Deserialize, ToSchema)]
#[serde(crate = "rtcd_sdk::serde")]
struct Question {
    /// Whether the caller has the admin token.
    #[serde(default)]
    admin: bool,
    method: String,
    /// Path and query.
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, Vec<String>>,
}

/// Who calls.
#[derive(Serialize, ToSchema)]
#[serde(crate = "rtcd_sdk::serde")]
struct Caller {
    name: String,
}

/// Decides whether a call is let in.
#[utoipa::path(post, path = "/", request_body = Question, responses((status = 200, body = Answer<Caller>)))]
async fn decide(
    State(tokens): State<Arc<[Token]>>,
    Json(question): Json<Question>,
) -> Result<Answer<Caller>, ApiError> {
    if question.admin {
        return Ok(Answer::new(Caller { name: "admin".to_owned() }));
    }
    let authorization = question.headers.get("Authorization").and_then(|values| values.first());
    let given = authorization.and_then(|value| secret::bearer(value));
    let given = given.ok_or_else(|| ApiError::denied().with_status(StatusCode::UNAUTHORIZED))?;
    let path = question.url.split('?').next().unwrap_or_default();
    // All are compared, so that the time tells nothing about which one it is.
    let known = tokens.iter().fold(None, |known, token| if token.is(given) { Some(token) } else { known });
    match known {
        Some(token) if token.allows(&question.method, path) => {
            Ok(Answer::new(Caller { name: token.name.clone() }))
        }
        Some(_) | None => Err(ApiError::denied()),
    }
}

#[cfg(test)]
mod tests {
    use rtcd_sdk::axum::body::Body;
    use rtcd_sdk::axum::http::Request;
    use rtcd_sdk::harness::{ApiAnswer, ApiHarness};
    use rtcd_sdk::serde_json::{Value, json};

    use super::*;

    const TOKENS: &str = "
tokens:
  - {name: ci, token: aaaaaaaaaaaaaaaa, allow: ['GET /runtime/*', '* /echo/v1/x']}
  - {name: all, token: bbbbbbbbbbbbbbbb, allow: ['* *']}
  - {name: none, token: cccccccccccccccc, allow: []}
";

    fn ask(question: &Value) -> (u16, Value) {
        let request = Request::post("/").body(Body::from(question.to_string())).unwrap();
        let ApiAnswer { status, body } = ApiHarness::<Access>::new(TOKENS).unwrap().call(request);
        (status.as_u16(), body)
    }

    fn call(authorization: &str, method: &str, url: &str) -> u16 {
        let headers = json!({"Authorization": [authorization], "Accept": ["*/*"]});
        ask(&json!({"type": "api", "remoteaddr": "127.0.0.1:1", "method": method, "url": url, "headers": headers})).0
    }

    #[test]
    fn tokens_and_what_they_allow() {
        for (authorization, method, url, status) in [
            ("Bearer aaaaaaaaaaaaaaaa", "GET", "/runtime/v1/jstack", 200),
            ("Bearer aaaaaaaaaaaaaaaa", "GET", "/runtime/v1/jstack?user=a", 200),
            ("Bearer aaaaaaaaaaaaaaaa", "POST", "/runtime/v1/jstack", 403),
            ("Bearer aaaaaaaaaaaaaaaa", "DELETE", "/echo/v1/x", 200),
            ("Bearer aaaaaaaaaaaaaaaa", "DELETE", "/echo/v1/x/y", 403),
            ("Bearer aaaaaaaaaaaaaaaa", "GET", "/apim/v1/apis?/runtime/", 403),
            ("bearer bbbbbbbbbbbbbbbb", "POST", "/apim/v1/echo.v1?file=echo", 200),
            ("Bearer cccccccccccccccc", "GET", "/runtime/v1/jstack", 403),
            ("Bearer aaaaaaaaaaaaaaab", "GET", "/runtime/v1/jstack", 403),
            ("Bearer aaaaaaaaaaaaaaa", "GET", "/runtime/v1/jstack", 403),
            ("Bearer ", "GET", "/runtime/v1/jstack", 401),
            ("Basic aaaaaaaaaaaaaaaa", "GET", "/runtime/v1/jstack", 401),
        ] {
            assert_eq!(call(authorization, method, url), status, "{authorization} {method} {url}");
        }
    }

    #[test]
    fn who_it_is() {
        let headers = json!({"Authorization": ["Bearer bbbbbbbbbbbbbbbb"]});
        assert_eq!(
            ask(&json!({"method": "GET", "url": "/", "headers": headers})),
            (200, json!({"code": 0, "msg": "OK", "name": "all"}))
        );
        assert_eq!(
            ask(&json!({"method": "GET", "url": "/"})),
            (401, json!({"code": 7, "msg": "Access denied"}))
        );
        let admin = json!({"admin": true, "method": "POST", "url": "/apim/v1/x"});
        assert_eq!(ask(&admin), (200, json!({"code": 0, "msg": "OK", "name": "admin"})));
        assert_eq!(ask(&json!({"url": "/"})).0, 400);
    }

    #[test]
    fn the_file_that_is_shipped_and_the_example_in_it() {
        let shipped = include_str!("../../../conf/access.yaml");
        ApiHarness::<Access>::new(shipped).unwrap();
        let example: String = shipped
            .lines()
            .skip_while(|line| *line != "# tokens:")
            .take_while(|line| line.starts_with('#'))
            .map(|line| line.replacen("# ", "", 1) + "\n")
            .collect();
        // Nobody's token is what is written in a file that everybody has.
        ApiHarness::<Access>::new(&example).unwrap_err();
        let example = example.replacen("\"\"", "aaaaaaaaaaaaaaaa", 1).replacen("\"\"", "bbbbbbbbbbbbbbbb", 1);
        ApiHarness::<Access>::new(&example).unwrap();
    }
}
