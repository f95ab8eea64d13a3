/** Messages as they are on the wire: one JSON object a text frame. */

/** The methods of requests. */
export type Method =
  | "INVITE" | "ACK" | "BYE" | "CANCEL" | "REGISTER" | "OPTIONS" | "INFO" | "UPDATE" | "PRACK" | "SUBSCRIBE" | "MESSAGE" | "NOTIFY";

/** Fields of a message by their names on the wire. Those that are `undefined` are left out. */
export interface Fields {
  [name: string]: unknown;
  /** Who asks. */
  From?: string | undefined;
  /** Who is asked, or talked about. */
  To?: string | undefined;
  /** Any JSON value. */
  Body?: unknown;
  /** Seconds. */
  Expire?: number | undefined;
  "Content-Type"?: string | undefined;
  "Message-ID"?: string | undefined;
  "P-Asserted-Identity"?: string | undefined;
  Reason?: string | undefined;
}

interface Named extends Fields {
  From: string;
  To: string;
  /** The dialog. With `CSeq` it names one transaction. */
  DialogueID: string;
  CSeq: number;
}

/** A request. */
export interface Request extends Named {
  Type: Method;
  "Request-URI": string;
  /** On ACK and CANCEL: the `CSeq` of the INVITE. */
  RelatedID?: number;
}

/** A response. */
export interface Response extends Named {
  Type: "RESPONSE";
  Code: number;
  Desc: string;
}

/** What a frame holds. */
export type Message = Request | Response;

/** What can be said of a frame that is none: shown to whoever wants to know. */
export type Undecodable = string;

const METHODS: ReadonlySet<string> = new Set<Method>([
  "INVITE", "ACK", "BYE", "CANCEL", "REGISTER", "OPTIONS", "INFO", "UPDATE", "PRACK", "SUBSCRIBE", "MESSAGE", "NOTIFY",
]);

/** Reads a frame. Gives a text that says what is wrong with a bad one. */
export function decode(text: string): Message | Undecodable {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "not JSON";
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "not an object";
  const fields = value as Record<string, unknown>;
  for (const name of ["From", "To", "DialogueID"]) {
    if (typeof fields[name] !== "string") return name;
  }
  if (!Number.isSafeInteger(fields.CSeq) || (fields.CSeq as number) < 1) return "CSeq";
  if (fields.Type === "RESPONSE") {
    if (!Number.isInteger(fields.Code)) return "Code";
    return { ...fields, Desc: typeof fields.Desc === "string" ? fields.Desc : "" } as Response;
  }
  if (typeof fields.Type !== "string" || !METHODS.has(fields.Type)) return "Type";
  if (typeof fields["Request-URI"] !== "string") return "Request-URI";
  return fields as unknown as Request;
}

/** Whether it is a response. */
export function isResponse(message: Message): message is Response {
  return message.Type === "RESPONSE";
}

/** What both messages of a transaction have in common. Both ends may use one CSeq, so keep what was sent and what came apart. */
export function transactionKey(message: Message): string {
  return `${message.CSeq} ${message.DialogueID}`;
}

/** The response to a request: `From`, `To`, `DialogueID`, `CSeq` are the request's. */
export function responseTo(request: Request, code: number, fields: Fields = {}): Response {
  const { From, To, DialogueID, CSeq } = request;
  return { ...fields, Type: "RESPONSE", Code: code, Desc: describe(code), From, To, DialogueID, CSeq };
}

/** The ACK of a final response to an INVITE. */
export function ackOf(response: Response, cseq: number): Request {
  const { From, To, DialogueID, CSeq } = response;
  return { Type: "ACK", "Request-URI": To, From, To, DialogueID, CSeq: cseq, RelatedID: CSeq };
}

/**
 * The user of a URI: `a@b` of `a@b;device=phone`. A text that is no URI is a name as a whole, as the server sees it: else
 * whoever is called `a@b;c@d` would be taken for `a@b`.
 */
export function userOf(uri: string): string {
  const end = uri.indexOf("@") === uri.lastIndexOf("@") ? uri.indexOf(";") : -1;
  // Not `trim`: it takes off more than the server does.
  return (end < 0 ? uri : uri.slice(0, end)).replace(/^\p{White_Space}+|\p{White_Space}+$/gu, "");
}

/** What a response says in words: its `Reason`, else its `Desc`. */
export function reasonOf(response: Response): string {
  return typeof response.Reason === "string" && response.Reason !== "" ? response.Reason : response.Desc || describe(response.Code);
}

const DESCRIPTIONS: Readonly<Record<number, string>> = {
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
function describe(code: number): string {
  return DESCRIPTIONS[code] ?? "";
}
