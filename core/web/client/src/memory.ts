/** What was seen lately, in bounded room. */

import type { Timers } from "./timers.js";

/** Keeps values for some time, at most so many: the oldest go first. */
export class Memory<Value> {
  readonly #kept = new Map<string, { value: Value; since: number }>();

  constructor(
    private readonly timers: Timers,
    private readonly most: number,
    /** ms */
    private readonly age: number,
  ) {}

  get(key: string): Value | undefined {
    return this.#kept.get(key)?.value;
  }

  set(key: string, value: Value): void {
    this.#kept.delete(key);
    this.#kept.set(key, { value, since: this.timers.now() });
    const tooOld = this.timers.now() - this.age;
    for (const [oldest, { since }] of this.#kept) {
      if (this.#kept.size <= this.most && since >= tooOld) break;
      this.#kept.delete(oldest);
    }
  }

  delete(key: string): void {
    this.#kept.delete(key);
  }

  clear(): void {
    this.#kept.clear();
  }
}
