//! The page that the server brings along, and the client library that it is made with, as files in the program.
//!
//! | path | file |
//! |---|---|
//! | `/` | `core/web/demo/index.html` |
//! | `/demo/…` | `core/web/demo/…`; `/demo` leads to `/demo/`, and that is `index.html` too |
//! | `/client/…` | `core/web/client/dist/…`, what `npm run build` makes in `core/web/client` |
//!
//! They are small, and the same for everybody. A browser asks each time whether it has the newest (`ETag`), so after an update of the
//! server nobody has half of an old page. In a debug build they are read from the disk at each request: whoever works on the page
//! sees a change when it is loaded again.

mod file;
mod kind;

use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH, LOCATION,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

use crate::file::File;

/// What the page may do: its own scripts and styles, none that stand in the text of the page, and no other host.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
    font-src 'self'; media-src 'self' blob:; connect-src 'self'; manifest-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

/// With every answer.
const ALWAYS: [(HeaderName, &str); 4] = [
    (CACHE_CONTROL, "no-cache"),
    (CONTENT_SECURITY_POLICY, POLICY),
    (REFERRER_POLICY, "no-referrer"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

/// The answer to a request for a path (without the query); `None` if no file is there. That to HEAD has the body too: whoever sends it
/// leaves the body out.
pub fn answer(method: &Method, path: &str, headers: &HeaderMap) -> Option<Response<Bytes>> {
    let file = match path {
        "/demo" => None,
        path => Some(File::at(path)?),
    };
    if *method != Method::GET && *method != Method::HEAD {
        let mut refusal = response(StatusCode::METHOD_NOT_ALLOWED, Bytes::from_static(b"only GET and HEAD"));
        refusal.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return Some(refusal);
    }
    let Some(file) = file else {
        let mut redirect = response(StatusCode::PERMANENT_REDIRECT, Bytes::new());
        redirect.headers_mut().insert(LOCATION, HeaderValue::from_static("/demo/"));
        return Some(redirect);
    };
    let mut answer = if is_known(headers, file.etag.as_bytes()) {
        response(StatusCode::NOT_MODIFIED, Bytes::new())
    } else {
        let mut answer = response(StatusCode::OK, file.bytes);
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(file.kind));
        answer
    };
    answer.headers_mut().insert(ETAG, file.etag);
    Some(answer)
}

fn response(status: StatusCode, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    for (name, value) in ALWAYS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Whether the client has the file already (RFC 9110, 13.1.2).
fn is_known(headers: &HeaderMap, etag: &[u8]) -> bool {
    let tags =
        headers.get_all(IF_NONE_MATCH).iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    tags.map(<[u8]>::trim_ascii).any(|tag| tag == b"*" || tag.strip_prefix(b"W/").unwrap_or(tag) == etag)
}
