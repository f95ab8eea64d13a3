/** Time, as tests can replace it. */
/** What the client knows of time. */
export interface Timers {
    /** Calls back after so many ms. */
    setTimeout(callback: () => void, delay: number): unknown;
    /** Takes back what `setTimeout` gave. */
    clearTimeout(handle: unknown): void;
    /** ms since some moment; never runs backwards. */
    now(): number;
}
/** The time that everybody has. */
export declare const systemTimers: Timers;
/** One timer that can be set again and again; the last setting counts. */
export declare class Timer {
    #private;
    private readonly timers;
    private readonly callback;
    constructor(timers: Timers, callback: () => void);
    /** Calls back once after so many ms, and not as it was set before. `Infinity`: never. */
    set(delay: number): void;
    /** Whether it is set. */
    get isSet(): boolean;
    /** Does not call back. */
    clear(): void;
}
