use std::fmt::Write;

use jsip::{Headers, Message, Request, Response};

/// A message as one line: what a reader of a snapshot wants to see.
pub(super) fn line(message: &Message) -> String {
    let mut line = match message {
        Message::Request(request) => of_request(request),
        Message::Response(response) => of_response(response),
    };
    add_headers(&mut line, message.headers());
    line
}

fn of_request(request: &Request) -> String {
    let Request { method, uri, from, to, cseq, related, router, .. } = request;
    let mut line = format!("{method} {cseq} {uri} from {from}");
    if to != uri {
        add(&mut line, format_args!(" to {to}"));
    }
    if let Some(related) = related {
        add(&mut line, format_args!(" for {related}"));
    }
    if let Some(router) = router {
        add(&mut line, format_args!(" via {router}"));
    }
    line
}

fn of_response(response: &Response) -> String {
    format!("{} {} {}", response.code, response.code.description(), response.cseq)
}

fn add_headers(line: &mut String, headers: &Headers) {
    for (name, value) in headers.iter() {
        add(line, format_args!(" {name}={value}"));
    }
}

fn add(line: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = line.write_fmt(text); // a String takes all
}
