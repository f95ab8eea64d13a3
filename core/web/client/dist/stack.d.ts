/** Joins the parts of the protocol: what comes goes where it belongs, what leaves survives the socket. */
import { ClosedError } from "./errors.js";
import { type IncomingRequest } from "./incoming.js";
import { type LivenessOptions } from "./liveness.js";
import { type SendOptions } from "./requests.js";
import type { Timers } from "./timers.js";
import { type ClientState, type TransportOptions } from "./transport.js";
import { type Fields, type Request, type Response } from "./wire.js";
/** What a stack is made of. */
export interface StackOptions extends TransportOptions, LivenessOptions {
    /** Who this is, without the device. */
    user: string;
    /** ms for the answer to a request. */
    timeout: number;
    maxPending: number;
    maxMessageSize: number;
}
/** Whom a stack tells. */
export interface StackListener {
    onState(state: ClientState, cause?: Error): void;
    /** A request that belongs to no dialog at hand. */
    onRequest(request: IncomingRequest): void;
    /** What no promise tells. */
    onError(error: Error): void;
}
/** A dialog, as the stack sees it. */
export interface Party {
    onRequest(request: IncomingRequest): void;
    /** The ACK for the INVITE with this CSeq. */
    onAck(cseq: number): void;
    /** There is a new socket. */
    onOnline(): void;
    /** The client is closed. `say` is false if nobody would hear a farewell. */
    onClosed(error: ClosedError, say: boolean): void;
}
/** See the module. */
export declare class Stack {
    #private;
    readonly options: StackOptions;
    private readonly listener;
    readonly timers: Timers;
    constructor(options: StackOptions, listener: StackListener);
    get state(): ClientState;
    open(): void;
    retry(): void;
    /** The network or the machine may have slept: connects now, or finds out whether the socket has outlived it. */
    wake(): void;
    close(): Promise<void>;
    /** The next number that this side has not used. */
    nextCSeq(): number;
    /** Sends a request; see `Requests.send`. */
    send(request: Request, options: SendOptions): Promise<Response>;
    /** Sends a request that nobody waits for, whatever becomes of it. */
    tell(request: Request, timeout: number): void;
    /** Acknowledges the final response to an INVITE. */
    ack(response: Response, fields?: Fields): void;
    /** From now on requests of this dialog go there. */
    join(dialogueId: string, party: Party): void;
    /** The dialog is over. */
    leave(dialogueId: string): void;
}
