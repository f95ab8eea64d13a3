/** The other side's re-INVITE: while its ACK is under way a new INVITE would be refused with 491. */

import type { IncomingRequest } from "./incoming.js";
import { Timer, type Timers } from "./timers.js";

/** ms; the ACK may be lost together with the call (`jsip.acktimer`). */
const PATIENCE = 32_000;

/** The last re-INVITE of the other side. */
export class Reinvited {
  #request: IncomingRequest | undefined;
  #waiting: (() => void)[] = [];
  readonly #deadline: Timer;

  constructor(timers: Timers) {
    this.#deadline = new Timer(timers, () => this.over());
  }

  /** It has come. */
  came(request: IncomingRequest): void {
    this.#request = request;
  }

  /** An ACK has come. */
  acknowledged(cseq: number): void {
    if (this.#request?.fields.CSeq === cseq) this.over();
  }

  /** Nobody has to wait. */
  over(): void {
    this.#request = undefined;
    this.#deadline.clear();
    for (const go of this.#waiting.splice(0)) go();
  }

  /** Resolves at once, or else when the ACK of what was answered is there. */
  settled(): Promise<void> {
    if (this.#request === undefined || !this.#request.isAnswered) return Promise.resolve();
    if (!this.#deadline.isSet) this.#deadline.set(PATIENCE);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
