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
export const systemTimers: Timers = {
  setTimeout: (callback, delay) => globalThis.setTimeout(callback, delay),
  clearTimeout: (handle) => globalThis.clearTimeout(handle as Parameters<typeof globalThis.clearTimeout>[0]),
  now: () => performance.now(),
};

/** The longest delay that `setTimeout` knows; it takes a longer one for 0. */
const LONGEST = 2 ** 31 - 1;

/** One timer that can be set again and again; the last setting counts. */
export class Timer {
  #handle: unknown;
  #due = 0;

  constructor(
    private readonly timers: Timers,
    private readonly callback: () => void,
  ) {}

  /** Calls back once after so many ms, and not as it was set before. `Infinity`: never. */
  set(delay: number): void {
    this.clear();
    if (delay === Infinity) return;
    this.#due = this.timers.now() + delay;
    this.#wait(delay);
  }

  /** Whether it is set. */
  get isSet(): boolean {
    return this.#handle !== undefined;
  }

  /** Does not call back. */
  clear(): void {
    if (this.#handle !== undefined) this.timers.clearTimeout(this.#handle);
    this.#handle = undefined;
  }

  #wait(delay: number): void {
    this.#handle = this.timers.setTimeout(() => {
      this.#handle = undefined;
      const left = this.#due - this.timers.now();
      if (delay > LONGEST && left > 0) this.#wait(left);
      else this.callback();
    }, Math.min(Math.max(delay, 0), LONGEST));
  }
}
