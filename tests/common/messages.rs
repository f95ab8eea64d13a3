//! Messages as clients write them.

use serde_json::{Map, Value, json};

/// A request; `more` has its other fields.
pub(crate) fn request(method: &str, uri: &str, from: &str, dialog: &str, cseq: u64) -> Value {
    json!({"Type": method, "Request-URI": uri, "From": from, "To": uri, "DialogueID": dialog, "CSeq": cseq})
}

/// The response to a request.
pub(crate) fn answer(request: &Value, code: u16) -> Value {
    json!({
        "Type": "RESPONSE",
        "Code": code,
        "From": request["From"],
        "To": request["To"],
        "DialogueID": request["DialogueID"],
        "CSeq": request["CSeq"],
    })
}

/// The ACK for a final response to an INVITE.
pub(crate) fn ack(response: &Value, cseq: u64) -> Value {
    json!({
        "Type": "ACK",
        "Request-URI": response["To"],
        "From": response["From"],
        "To": response["To"],
        "DialogueID": response["DialogueID"],
        "CSeq": cseq,
        "RelatedID": response["CSeq"],
    })
}

/// A message with these fields added or changed; null takes one out.
pub(crate) fn fields(mut message: Value, more: Value) -> Value {
    let (Some(message_fields), Value::Object(more)) = (message.as_object_mut(), more) else {
        panic!("not objects");
    };
    for (name, value) in more {
        match value {
            Value::Null => drop(message_fields.remove(&name)),
            value => drop(message_fields.insert(name, value)),
        }
    }
    message
}

/// Whether all of `expected` is in `message`.
pub(crate) fn has(message: &Value, expected: &Value) -> bool {
    let none = Map::new();
    let expected = expected.as_object().unwrap_or(&none);
    expected.iter().all(|(name, value)| message.get(name) == Some(value))
}
