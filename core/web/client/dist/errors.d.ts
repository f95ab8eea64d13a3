/** What can go wrong, by whose doing. */
import type { Response } from "./wire.js";
/** What all errors of this library are. */
export declare class RtcdError extends Error {
    name: string;
}
/** A final response of 300 or more; or the client's own refusal, which has no `response`. */
export declare class RejectedError extends RtcdError {
    /** The `Code`, such as 486. */
    readonly code: number;
    /** Its `Reason`, or else its `Desc`. */
    readonly reason: string;
    /** The response; `undefined` if the client itself refused. */
    readonly response?: Response | undefined;
    name: string;
    constructor(
    /** The `Code`, such as 486. */
    code: number, 
    /** Its `Reason`, or else its `Desc`. */
    reason: string, 
    /** The response; `undefined` if the client itself refused. */
    response?: Response | undefined);
}
/** No answer in time. What was asked may have been done all the same. */
export declare class TimeoutError extends RtcdError {
    name: string;
}
/** The socket was lost, or could not be opened. The client tries again. */
export declare class ConnectionError extends RtcdError {
    /** The close code of the WebSocket, if there was one. */
    readonly code?: number | undefined;
    name: string;
    constructor(message: string, 
    /** The close code of the WebSocket, if there was one. */
    code?: number | undefined);
}
/** The client is closed, or was closed meanwhile. */
export declare class ClosedError extends RtcdError {
    /** The close code of the WebSocket, if the server closed it. */
    readonly code?: number | undefined;
    name: string;
    constructor(message?: string, 
    /** The close code of the WebSocket, if the server closed it. */
    code?: number | undefined);
}
/** The same user and device has connected elsewhere; this client stays closed. */
export declare class ReplacedError extends ClosedError {
    name: string;
    constructor();
}
/** The HTTP side refuses, or cannot be reached. */
export declare class HttpError extends RtcdError {
    /** The HTTP status; 0 if there was no answer. */
    readonly status: number;
    /** The `code` of the answer's envelope; -1 without one. */
    readonly code: number;
    name: string;
    constructor(
    /** The HTTP status; 0 if there was no answer. */
    status: number, 
    /** The `code` of the answer's envelope; -1 without one. */
    code: number, message: string);
}
