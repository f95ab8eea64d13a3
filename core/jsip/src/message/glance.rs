//! A request as far as it has to be known to be turned away: when there is too much to do, not even reading all of it pays.

use bytestring::ByteString;

use super::{CSeq, Headers, Method, StatusCode, encode, scan};

/// The ids of a request, each as it stands in the frame.
#[derive(Debug)]
pub(crate) struct Glance<'a> {
    pub(crate) method: Method,
    /// `DialogueID`, as text.
    pub(crate) dialog: &'a str,
    from: &'a str,
    to: &'a str,
    cseq: CSeq,
}

impl<'a> Glance<'a> {
    /// `None` if this is no request, or not written as nearly all are: then [`Message::decode`](super::Message::decode) knows better.
    pub(crate) fn at(frame: &'a str) -> Option<Self> {
        let (mut kind, mut from, mut to, mut dialog, mut cseq) = (None, None, None, None, None);
        let mut twice = false;
        scan::fields(frame, |name, value| {
            let slot = match name {
                "Type" => &mut kind,
                "From" => &mut from,
                "To" => &mut to,
                "DialogueID" => &mut dialog,
                "CSeq" => &mut cseq,
                _ => return,
            };
            twice |= slot.replace(value).is_some();
        })?;
        if twice {
            return None;
        }
        Some(Self {
            method: Method::from_name(plain(kind?)?)?,
            dialog: plain(dialog?).filter(|id| !id.is_empty())?,
            from: plain(from?)?,
            to: plain(to?)?,
            cseq: cseq?.parse().ok().and_then(CSeq::new)?,
        })
    }

    /// The text of a response to it.
    pub(crate) fn answer(&self, code: StatusCode, headers: &Headers) -> ByteString {
        encode::response(code, (self.from, self.to), self.dialog, self.cseq, headers)
    }
}

/// What a JSON string without escapes holds.
fn plain(value: &str) -> Option<&str> {
    value.strip_prefix('"')?.strip_suffix('"').filter(|text| !text.contains('\\'))
}

#[cfg(test)]
mod tests {
    use super::super::Message;
    use super::*;

    /// What a glance says is what a look says; where it says nothing, that is no loss.
    #[test]
    fn it_sees_what_decoding_sees() {
        let request = r#"{"Type":"INVITE","Request-URI":"u","From":"a@h","To":"b","DialogueID":"d","CSeq":7,"Body":{"CSeq":8}}"#;
        let glance = Glance::at(request).unwrap();
        let Ok(Message::Request(decoded)) = Message::decode(request) else { panic!("a request") };
        assert_eq!((glance.method, glance.dialog), (decoded.method, decoded.dialog.as_str()));
        let code = StatusCode::SERVICE_UNAVAILABLE;
        assert_eq!(glance.answer(code, &Headers::default()), decoded.response(code).encode());
        for (what, with) in [
            ("\"a@h\"", "\"a\\\"@h\""),
            ("\"a@h\"", "1"),
            ("\"a@h\"", "\"a@h\",\"From\":\"c\""),
            ("\"CSeq\":7", "\"CSeq\":0"),
            ("\"CSeq\":7", "\"CSeq\":7.0"),
            ("\"DialogueID\":\"d\"", "\"DialogueID\":\"\""),
            ("\"To\":\"b\",", ""),
            ("INVITE", "RESPONSE"),
            ("INVITE", "JOKE"),
        ] {
            let other = request.replacen(what, with, 1);
            assert_ne!(other, request);
            assert!(Glance::at(&other).is_none(), "{other}");
        }
    }
}
