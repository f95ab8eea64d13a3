//! What a browser gets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

use bytes::Bytes;
use http::{HeaderMap, Method, Response, StatusCode};

fn get(path: &str) -> Option<Response<Bytes>> {
    rtcd_web::answer(&Method::GET, path, &HeaderMap::new())
}

#[test]
fn the_page_is_at_both_places() {
    let page = get("/").unwrap();
    assert_eq!(
        (page.status(), &page.headers()["content-type"]),
        (StatusCode::OK, &"text/html; charset=utf-8".parse().unwrap())
    );
    assert!(page.body().starts_with(b"<!doctype html>"));
    for path in ["/demo/", "/demo/index.html"] {
        let same = get(path).unwrap();
        assert_eq!((same.headers(), same.body()), (page.headers(), page.body()));
    }
    let redirect = get("/demo").unwrap();
    assert_eq!(
        (redirect.status().as_u16(), &redirect.headers()["location"]),
        (308, &"/demo/".parse().unwrap())
    );
}

#[test]
fn nothing_strange_runs_in_it() {
    let page = get("/").unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; "), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains("http") && !policy.contains('\n'), "{policy}");
    assert_eq!(page.headers()["x-content-type-options"], "nosniff");
}

#[test]
fn a_browser_that_has_it_is_told_so() {
    let page = get("/").unwrap();
    let etag = page.headers()["etag"].to_str().unwrap().to_owned();
    for (known, status) in [
        (etag.clone(), 304),
        (format!("W/{etag}"), 304),
        (format!("\"x\", {etag}"), 304),
        ("*".to_owned(), 304),
        ("\"x\"".to_owned(), 200),
        (etag.replace('"', ""), 200),
    ] {
        let headers = HeaderMap::from_iter([("if-none-match".parse().unwrap(), known.parse().unwrap())]);
        let answer = rtcd_web::answer(&Method::GET, "/", &headers).unwrap();
        assert_eq!(answer.status().as_u16(), status, "{known}");
        assert_eq!(answer.body().is_empty(), status == 304);
        assert_eq!(answer.headers()["etag"], etag);
        assert_eq!(answer.headers()["cache-control"], "no-cache");
    }
}

#[test]
fn only_what_reads() {
    for (method, status) in [("GET", 200), ("HEAD", 200), ("POST", 405), ("DELETE", 405), ("OPTIONS", 405)] {
        let answer = rtcd_web::answer(&method.parse().unwrap(), "/", &HeaderMap::new()).unwrap();
        assert_eq!(answer.status().as_u16(), status, "{method}");
        assert_eq!(answer.headers().get("allow").is_some(), status == 405);
    }
    assert!(rtcd_web::answer(&Method::POST, "/nothing", &HeaderMap::new()).is_none());
}

#[test]
fn nothing_leads_out_of_the_folders() {
    for path in [
        "",
        "/index.html",
        "/nothing",
        "/demo/nothing",
        "/demo//index.html",
        "/demo/../demo/index.html",
        "/demo/./index.html",
        "/demo/%2e%2e/Cargo.toml",
        "/demo/..\\Cargo.toml",
        "/demo/../Cargo.toml",
        "/demo//etc/passwd",
        "/client/",
        "/client/../Cargo.toml",
        "/client/../../demo/index.html",
        "/client/.gitkeep",
        "/demoindex.html",
    ] {
        assert!(get(path).is_none(), "{path}");
    }
}
