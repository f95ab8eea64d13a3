//! Asks the API side of a running server.

use std::error::Error as StdError;
use std::path::Path;
use std::time::Duration;

use reqwest::{Method, StatusCode, Url};
use serde_json::Value;

use crate::args::ServerArgs;
use crate::error::Error;
use crate::{Program, settings};

/// The server does not do what it is asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    #[error("{url} is no URL: write http://HOST:PORT")]
    Url { url: String },
    #[error("api.listen has port 0, so only the server knows its address: give it with --url")]
    NoPort,
    #[error("cannot make an HTTP client")]
    Http(#[source] reqwest::Error),
    #[error(
        "no server answers at {url} ({cause}): does rtcd run, and is this its API side? --url names another"
    )]
    Unreachable { url: String, cause: String },
    #[error(
        "the server at {url} wants its admin token: set api.token or RTCD_API_TOKEN as the server has it, or give --token"
    )]
    NoToken { url: String },
    #[error(
        "the server at {url} denies access: is the token (--token, RTCD_API_TOKEN, api.token) the one of that server?"
    )]
    Denied { url: String },
    #[error("{text}{hint}")]
    Refused { text: String, hint: &'static str },
}

/// A question to the server.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    /// What the path is made of.
    pub(crate) path: &'a [&'a str],
    pub(crate) query: &'a [(&'a str, &'a str)],
    /// What helps if something is not found.
    pub(crate) hint: &'static str,
}

/// Asks, and prints the answer as the server gives it.
pub(crate) fn call(
    program: Program,
    folder: &Path,
    server: &ServerArgs,
    call: Call<'_>,
) -> Result<(), Error> {
    let (mut url, token) = target(program, folder, server)?;
    let base = url.as_str().trim_end_matches('/').to_owned();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(call.path);
    }
    if !call.query.is_empty() {
        url.query_pairs_mut().extend_pairs(call.query);
    }
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Runtime)?;
    let (status, text) = runtime.block_on(ask(call.method, url, &base, &token, server.json))?;
    if status.is_success() {
        print!("{}", printable(&text));
        if !text.ends_with('\n') {
            println!();
        }
        return Ok(());
    }
    if server.json {
        println!("{}", printable(text.trim_end()));
    }
    Err(match status {
        StatusCode::UNAUTHORIZED => ClientError::NoToken { url: base },
        StatusCode::FORBIDDEN => ClientError::Denied { url: base },
        status => ClientError::Refused {
            text: reason(status, &text),
            hint: if status == StatusCode::NOT_FOUND { call.hint } else { "" },
        },
    }
    .into())
}

fn target(program: Program, folder: &Path, server: &ServerArgs) -> Result<(Url, String), Error> {
    // Whoever gives both needs no settings.
    let (url, token) = match (&server.url, &server.token) {
        (Some(url), Some(token)) => (url.clone(), token.clone()),
        (url, token) => {
            let set = settings::api(program, folder)?;
            let address = settings::reachable(set.listen);
            if url.is_none() && address.port() == 0 {
                return Err(ClientError::NoPort.into());
            }
            let url = url.clone().unwrap_or_else(|| format!("http://{address}"));
            (url, token.clone().unwrap_or_else(|| set.token.expose().to_owned()))
        }
    };
    match Url::parse(&url) {
        Ok(url) if url.has_host() && matches!(url.scheme(), "http" | "https") => Ok((url, token)),
        _ => Err(ClientError::Url { url }.into()),
    }
}

async fn ask(
    method: Method,
    url: Url,
    base: &str,
    token: &str,
    json: bool,
) -> Result<(StatusCode, String), ClientError> {
    /// For a server that is busy, or loads a service that takes its time.
    const PATIENCE: Duration = Duration::from_secs(30);
    // The API side is next door: what proxies there may be lead elsewhere.
    let http = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(PATIENCE / 6)
        .timeout(PATIENCE)
        .build()
        .map_err(ClientError::Http)?;
    let mut request = http.request(method, url);
    if !token.is_empty() {
        request = request.bearer_auth(token);
    }
    if json {
        request = request.header(reqwest::header::ACCEPT, "application/json");
    }
    let unreachable =
        |error: reqwest::Error| ClientError::Unreachable { url: base.to_owned(), cause: root_cause(&error) };
    let response = request.send().await.map_err(unreachable)?;
    let status = response.status();
    Ok((status, response.text().await.map_err(unreachable)?))
}

/// The last cause of an error says what it is about; those before it say who noticed.
fn root_cause(error: &dyn StdError) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

/// Why the server refuses, on one line.
fn reason(status: StatusCode, text: &str) -> String {
    /// A page of HTML is no reason.
    const LONGEST: usize = 300;
    let envelope: Option<Value> = serde_json::from_str(text).ok();
    let told = envelope.as_ref().and_then(|envelope| {
        ["detail", "msg"].iter().find_map(|field| envelope.get(*field).and_then(Value::as_str))
    });
    let line = told.unwrap_or(text).lines().next().unwrap_or_default().trim();
    if line.is_empty() {
        return format!("the server answers {status}");
    }
    printable(&line.chars().take(LONGEST).collect::<String>())
}

/// Names in an answer come from users: they must not drive the terminal.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() && !matches!(c, '\n' | '\t') { char::REPLACEMENT_CHARACTER } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons() {
        let cases = [
            ("nothing is compiled in\n", "nothing is compiled in"),
            (r#"{"code":9,"msg":"Not Found","detail":"x is not enabled"}"#, "x is not enabled"),
            (r#"{"code":3,"msg":"Unsupported API"}"#, "Unsupported API"),
            ("", "the server answers 404 Not Found"),
            ("one\x1b[2J\ntwo", "one\u{fffd}[2J"),
        ];
        for (text, expected) in cases {
            assert_eq!(reason(StatusCode::NOT_FOUND, text), expected);
        }
    }
}
