/** What can go wrong, by whose doing. */
/** What all errors of this library are. */
export class RtcdError extends Error {
    name = "RtcdError";
}
/** A final response of 300 or more; or the client's own refusal, which has no `response`. */
export class RejectedError extends RtcdError {
    code;
    reason;
    response;
    name = "RejectedError";
    constructor(
    /** The `Code`, such as 486. */
    code, 
    /** Its `Reason`, or else its `Desc`. */
    reason, 
    /** The response; `undefined` if the client itself refused. */
    response) {
        super(`${code} ${reason}`);
        this.code = code;
        this.reason = reason;
        this.response = response;
    }
}
/** No answer in time. What was asked may have been done all the same. */
export class TimeoutError extends RtcdError {
    name = "TimeoutError";
}
/** The socket was lost, or could not be opened. The client tries again. */
export class ConnectionError extends RtcdError {
    code;
    name = "ConnectionError";
    constructor(message, 
    /** The close code of the WebSocket, if there was one. */
    code) {
        super(message);
        this.code = code;
    }
}
/** The client is closed, or was closed meanwhile. */
export class ClosedError extends RtcdError {
    code;
    name = "ClosedError";
    constructor(message = "the client is closed", 
    /** The close code of the WebSocket, if the server closed it. */
    code) {
        super(message);
        this.code = code;
    }
}
/** The same user and device has connected elsewhere; this client stays closed. */
export class ReplacedError extends ClosedError {
    name = "ReplacedError";
    constructor() {
        super("replaced: this user and device has connected elsewhere", 4001);
    }
}
/** The HTTP side refuses, or cannot be reached. */
export class HttpError extends RtcdError {
    status;
    code;
    name = "HttpError";
    constructor(
    /** The HTTP status; 0 if there was no answer. */
    status, 
    /** The `code` of the answer's envelope; -1 without one. */
    code, message) {
        super(message);
        this.status = status;
        this.code = code;
    }
}
