/** How long to wait before the next try. */
/** ms. */
export interface BackoffOptions {
    /** The first wait is a random time below it, and the bound doubles with each try. */
    base: number;
    /** It doubles up to this. */
    cap: number;
    /** One try to connect takes at most this. */
    connect: number;
}
/** What is taken where nothing is said. */
export declare const DEFAULT_BACKOFF: BackoffOptions;
/** Exponential back-off with full jitter: clients that lost one server do not come back to it all at once. */
export declare class Backoff {
    #private;
    private readonly options;
    private readonly random;
    constructor(options: BackoffOptions, random: () => number);
    /** The next wait in ms. */
    next(): number;
    /** All is well: the next wait is a first one. */
    reset(): void;
}
