/** How long to wait before the next try. */
/** What is taken where nothing is said. */
export const DEFAULT_BACKOFF = { base: 500, cap: 30_000, connect: 10_000 };
/** Exponential back-off with full jitter: clients that lost one server do not come back to it all at once. */
export class Backoff {
    options;
    random;
    #tries = 0;
    constructor(options, random) {
        this.options = options;
        this.random = random;
    }
    /** The next wait in ms. */
    next() {
        const bound = Math.min(this.options.cap, this.options.base * 2 ** this.#tries);
        this.#tries += 1;
        return this.random() * bound;
    }
    /** All is well: the next wait is a first one. */
    reset() {
        this.#tries = 0;
    }
}
