/** Messages as they are on the wire: one JSON object a text frame. */
const METHODS = new Set([
    "INVITE", "ACK", "BYE", "CANCEL", "REGISTER", "OPTIONS", "INFO", "UPDATE", "PRACK", "SUBSCRIBE", "MESSAGE", "NOTIFY",
]);
/** Reads a frame. Gives a text that says what is wrong with a bad one. */
export function decode(text) {
    let value;
    try {
        value = JSON.parse(text);
    }
    catch {
        return "not JSON";
    }
    if (typeof value !== "object" || value === null || Array.isArray(value))
        return "not an object";
    const fields = value;
    for (const name of ["From", "To", "DialogueID"]) {
        if (typeof fields[name] !== "string")
            return name;
    }
    if (!Number.isSafeInteger(fields.CSeq) || fields.CSeq < 1)
        return "CSeq";
    if (fields.Type === "RESPONSE") {
        if (!Number.isInteger(fields.Code))
            return "Code";
        return { ...fields, Desc: typeof fields.Desc === "string" ? fields.Desc : "" };
    }
    if (typeof fields.Type !== "string" || !METHODS.has(fields.Type))
        return "Type";
    if (typeof fields["Request-URI"] !== "string")
        return "Request-URI";
    return fields;
}
/** Whether it is a response. */
export function isResponse(message) {
    return message.Type === "RESPONSE";
}
/** What both messages of a transaction have in common. Both ends may use one CSeq, so keep what was sent and what came apart. */
export function transactionKey(message) {
    return `${message.CSeq} ${message.DialogueID}`;
}
/** The response to a request: `From`, `To`, `DialogueID`, `CSeq` are the request's. */
export function responseTo(request, code, fields = {}) {
    const { From, To, DialogueID, CSeq } = request;
    return { ...fields, Type: "RESPONSE", Code: code, Desc: describe(code), From, To, DialogueID, CSeq };
}
/** The ACK of a final response to an INVITE. */
export function ackOf(response, cseq) {
    const { From, To, DialogueID, CSeq } = response;
    return { Type: "ACK", "Request-URI": To, From, To, DialogueID, CSeq: cseq, RelatedID: CSeq };
}
/**
 * The user of a URI: `a@b` of `a@b;device=phone`. A text that is no URI is a name as a whole, as the server sees it: else
 * whoever is called `a@b;c@d` would be taken for `a@b`.
 */
export function userOf(uri) {
    const end = uri.indexOf("@") === uri.lastIndexOf("@") ? uri.indexOf(";") : -1;
    // Not `trim`: it takes off more than the server does.
    return (end < 0 ? uri : uri.slice(0, end)).replace(/^\p{White_Space}+|\p{White_Space}+$/gu, "");
}
/** What a response says in words: its `Reason`, else its `Desc`. */
export function reasonOf(response) {
    return typeof response.Reason === "string" && response.Reason !== "" ? response.Reason : response.Desc || describe(response.Code);
}
const DESCRIPTIONS = {
    180: "Ringing",
    183: "Session Progress",
    200: "OK",
    403: "Forbidden",
    408: "Request Timeout",
    480: "Temporarily not available",
    481: "Call Leg/Transaction Does Not Exist",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    501: "Not Implemented",
    503: "Service Unavailable",
    513: "Message Too Large",
    603: "Decline",
};
/** The server writes `Desc` anew; this one is for whoever looks at the wire. */
function describe(code) {
    return DESCRIPTIONS[code] ?? "";
}
