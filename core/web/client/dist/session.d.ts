/**
 * Is the call still there? The caller sends an UPDATE every third of `Expire`; to the called one the server does. If none goes
 * through for a whole `Expire`, the call is lost. On a new socket both sides ask at once: a server that was restarted knows no calls.
 */
import { type Timers } from "./timers.js";
import type { Response } from "./wire.js";
/** The session timer of one call. */
export declare class Session {
    #private;
    private readonly direction;
    /** ms */
    private readonly expire;
    private readonly update;
    /** The call is lost; `isKnown` tells whether the server may still know it. */
    private readonly onLost;
    constructor(timers: Timers, direction: "out" | "in", 
    /** ms */
    expire: number, update: () => Promise<Response>, 
    /** The call is lost; `isKnown` tells whether the server may still know it. */
    onLost: (reason: string, isKnown: boolean) => void);
    /** The call is up, or the other side has refreshed it. */
    heard(): void;
    /** Asks whether the server knows the call. */
    ask(): void;
    stop(): void;
}
