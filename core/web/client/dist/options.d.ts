/** How a client is made. */
import { type BackoffOptions } from "./backoff.js";
import type { Fetch } from "./history.js";
import type { StackOptions } from "./stack.js";
import { type Timers } from "./timers.js";
/** Of `new Client`. Times are in ms. */
export interface ClientOptions {
    /** The server: `ws://HOST:PORT/rtc` or `wss://…`. */
    url: string;
    /** Who this is, such as `alice@example.com`. */
    user: string;
    /** The name of this device: each device of a user has a socket of its own. */
    device?: string | undefined;
    /** The class to connect with; the global one if nothing is said. */
    WebSocket?: unknown;
    /** For the HTTP APIs; the global one if nothing is said. */
    fetch?: unknown;
    /** Where the HTTP APIs are; `/api` of the same host if nothing is said. */
    apiUrl?: string;
    /** How to wait between tries to connect. */
    backoff?: Partial<BackoffOptions>;
    /** A request waits so long for its answer; default 30 s, below the 32 s for which the server knows repeats. */
    timeout?: number;
    /** If nothing is heard for so long while an answer is due, the socket is given up; default 10 s. */
    silence?: number;
    /** If nothing is heard for so long, the server is asked for a sign; default 75 s. */
    heartbeat?: number;
    /** Requests without an answer; default 1024. */
    maxPending?: number;
    /** Bytes of the largest frame; default 64 KiB. */
    maxMessageSize?: number;
    /** At least 0 and below 1; `Math.random` if nothing is said. */
    random?: () => number;
    /** For tests. */
    timers?: Timers;
}
/** What is made of them. */
export interface CheckedOptions extends StackOptions {
    user: string;
    device: string | undefined;
    /** `user`, or `user;device=DEVICE`. */
    uri: string;
    apiUrl: string;
    fetch: Fetch;
}
/**
 * Checks, and fills in what was not said.
 * @throws TypeError
 */
export declare function check(options: ClientOptions): CheckedOptions;
