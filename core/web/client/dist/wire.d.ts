/** Messages as they are on the wire: one JSON object a text frame. */
/** The methods of requests. */
export type Method = "INVITE" | "ACK" | "BYE" | "CANCEL" | "REGISTER" | "OPTIONS" | "INFO" | "UPDATE" | "PRACK" | "SUBSCRIBE" | "MESSAGE" | "NOTIFY";
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
/** Reads a frame. Gives a text that says what is wrong with a bad one. */
export declare function decode(text: string): Message | Undecodable;
/** Whether it is a response. */
export declare function isResponse(message: Message): message is Response;
/** What both messages of a transaction have in common. Both ends may use one CSeq, so keep what was sent and what came apart. */
export declare function transactionKey(message: Message): string;
/** The response to a request: `From`, `To`, `DialogueID`, `CSeq` are the request's. */
export declare function responseTo(request: Request, code: number, fields?: Fields): Response;
/** The ACK of a final response to an INVITE. */
export declare function ackOf(response: Response, cseq: number): Request;
/**
 * The user of a URI: `a@b` of `a@b;device=phone`. A text that is no URI is a name as a whole, as the server sees it: else
 * whoever is called `a@b;c@d` would be taken for `a@b`.
 */
export declare function userOf(uri: string): string;
/** What a response says in words: its `Reason`, else its `Desc`. */
export declare function reasonOf(response: Response): string;
export {};
