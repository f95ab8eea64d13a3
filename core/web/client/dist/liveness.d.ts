/**
 * Is somebody there? A browser shows its pages neither pings nor pongs, and a socket whose network is gone looks well for minutes.
 * So what counts is whether frames come while an answer is due, and now and then an answer is made due.
 */
import { type Timers } from "./timers.js";
/** ms. */
export interface LivenessOptions {
    /** No frame while an answer is due: nobody is there. */
    silence: number;
    /** No frame at all: something is asked. */
    heartbeat: number;
}
/** Watches one socket after the other. */
export declare class Liveness {
    #private;
    private readonly options;
    private readonly timers;
    constructor(options: LivenessOptions, timers: Timers, nobody: () => void, ask: () => void);
    /** A new socket. */
    start(): void;
    /** There is no socket. */
    stop(): void;
    /** A frame came. */
    heard(): void;
    /** A frame went that the server answers soon. */
    asked(): void;
}
