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
export const DEFAULT_BACKOFF: BackoffOptions = { base: 500, cap: 30_000, connect: 10_000 };

/** Exponential back-off with full jitter: clients that lost one server do not come back to it all at once. */
export class Backoff {
  #tries = 0;

  constructor(
    private readonly options: BackoffOptions,
    private readonly random: () => number,
  ) {}

  /** The next wait in ms. */
  next(): number {
    const bound = Math.min(this.options.cap, this.options.base * 2 ** this.#tries);
    this.#tries += 1;
    return this.random() * bound;
  }

  /** All is well: the next wait is a first one. */
  reset(): void {
    this.#tries = 0;
  }
}
