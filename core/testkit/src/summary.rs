use jsip::{CSeq, Message};

/// A message in short: `INVITE 1 Expire=300`, `ACK * of 1`, `[other] 200 7`. A CSeq that the stack drew is `*`; dialog `d` is
/// not named.
pub fn summary(message: &Message) -> String {
    let mut line = match message.dialog().as_str() {
        "d" => String::new(),
        other => format!("[{other}] "),
    };
    match message {
        Message::Request(request) => {
            line += request.method.name();
            line += " ";
            line += &cseq(request.cseq);
            if let Some(related) = request.related {
                line += " of ";
                line += &cseq(related);
            }
        }
        Message::Response(response) => {
            line += &format!("{} {}", response.code, cseq(response.cseq));
        }
    }
    for (name, value) in message.headers().iter() {
        line += &format!(" {name}={value}");
    }
    line
}

fn cseq(cseq: CSeq) -> String {
    /// Above what tests use.
    const DRAWN: u64 = 10_000;
    match cseq.as_u64() {
        DRAWN.. => "*".to_owned(),
        small => small.to_string(),
    }
}
