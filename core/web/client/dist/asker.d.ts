/** Requests outside of calls, as the parts of the client send them. */
import type { Stack } from "./stack.js";
import type { Timers } from "./timers.js";
import type { Fields, Method, Request, Response } from "./wire.js";
/** Fields of a request: who is asked must be said, all else can be made. */
export type RequestFields = Fields & {
    To: string;
    "Request-URI"?: string;
    DialogueID?: string;
    CSeq?: number;
};
/** Makes and sends requests of one user. */
export declare class Asker {
    private readonly stack;
    /** Without the device. */
    readonly user: string;
    /** With the device. */
    readonly uri: string;
    readonly timers: Timers;
    constructor(stack: Stack, 
    /** Without the device. */
    user: string, 
    /** With the device. */
    uri: string);
    /** The request with what was not said. */
    make(method: Method, fields: RequestFields): Request;
    /** Sends one, and resolves to its final response below 300. */
    ask(method: Method, fields: RequestFields, timeout?: number): Promise<Response>;
}
