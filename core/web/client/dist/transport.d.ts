/**
 * One WebSocket, kept up.
 *
 * | state | event | does | next |
 * |---|---|---|---|
 * | closed | `open` | connects | connecting |
 * | connecting, reconnecting | the socket opens | | online |
 * | connecting, reconnecting | it does not, within `connect` | waits by back-off, connects | same |
 * | online | the socket is lost | waits by back-off, connects | reconnecting |
 * | any | the server closes with 4001 | | closed |
 * | any | `close` | closes the socket | closed |
 */
import { type BackoffOptions } from "./backoff.js";
import { type Timers } from "./timers.js";
/** Where a client is. */
export type ClientState = "connecting" | "online" | "reconnecting" | "closed";
/** What the client needs of a WebSocket: the browsers' one and that of the package `ws` have it. */
export interface WebSocketLike {
    onopen: (() => void) | null;
    onmessage: ((event: {
        data: unknown;
    }) => void) | null;
    onclose: ((event: {
        code: number;
        reason: unknown;
    }) => void) | null;
    onerror: (() => void) | null;
    send(data: string): void;
    close(code?: number, reason?: string): void;
}
/** A class of such. */
export type WebSocketClass = new (url: string) => WebSocketLike;
/** What a transport is made of. */
export interface TransportOptions {
    url: string;
    WebSocket: WebSocketClass;
    backoff: BackoffOptions;
    random: () => number;
    timers: Timers;
}
/** Whom a transport tells. */
export interface TransportListener {
    /** It is somewhere else now; the error says why. */
    onState(state: ClientState, cause?: Error): void;
    /** A text frame has come. */
    onText(text: string): void;
}
/** See the module. */
export declare class Transport {
    #private;
    private readonly options;
    private readonly listener;
    constructor(options: TransportOptions, listener: TransportListener);
    get state(): ClientState;
    /** Connects, and keeps connected until `close`. */
    open(): void;
    /** Writes a frame. `false`: there is no socket, or it takes none. */
    send(text: string): boolean;
    /** Does not wait any longer for the next try. */
    retry(): void;
    /** Leaves the socket, whatever it says of itself, and connects again. */
    giveUp(why: string, code?: number): void;
    /** Closes for good. Resolves when the other side knows, or has had its time. */
    close(cause?: Error): Promise<void>;
}
