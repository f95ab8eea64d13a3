/** Requests of the other side: each is shown once and answered once, however often it comes. */

import type { Entry, Journal } from "./journal.js";
import { Memory } from "./memory.js";
import type { Timers } from "./timers.js";
import { responseTo, transactionKey, type Fields, type Method, type Request } from "./wire.js";

/** A request of the other side. */
export interface IncomingRequest {
  readonly method: Method;
  /** The request, as on the wire. */
  readonly fields: Request;
  /** Whether it has its final response. */
  readonly isAnswered: boolean;
  /**
   * Answers. A code below 200 is provisional; one of 200 or above is final, and the last.
   * @returns `false` if it has its final response already: nothing is sent then.
   * @throws RejectedError 513 if the response is too large.
   */
  respond(code: number, fields?: Fields): boolean;
}

/** ms for which a request is known again: longer than the server keeps any that is unfinished. */
const REMEMBERED = 300_000;
const MOST = 4096;

/** See the module. */
export class Served {
  readonly #seen: Memory<Serving>;

  constructor(
    private readonly journal: Journal,
    timers: Timers,
  ) {
    this.#seen = new Memory(timers, MOST, REMEMBERED);
  }

  /** A request has come. `undefined`: it came before, and nothing more is to be done. */
  take(fields: Request): IncomingRequest | undefined {
    const key = `${fields.Type} ${transactionKey(fields)}`;
    const before = this.#seen.get(key);
    if (before !== undefined) {
      before.repeat();
      return undefined;
    }
    const serving = new Serving(fields, this.journal);
    this.#seen.set(key, serving);
    return serving;
  }

  /** The ACK of an INVITE's final response has come: that one has arrived. */
  acknowledged(dialogueId: string, cseq: number): void {
    this.#seen.get(`INVITE ${cseq} ${dialogueId}`)?.acknowledged();
  }

  /** Forgets all. */
  clear(): void {
    this.#seen.clear();
  }
}

class Serving implements IncomingRequest {
  #final: Entry | undefined;

  constructor(
    readonly fields: Request,
    private readonly journal: Journal,
  ) {}

  get method(): Method {
    return this.fields.Type;
  }

  get isAnswered(): boolean {
    return this.#final !== undefined;
  }

  respond(code: number, fields: Fields = {}): boolean {
    if (this.#final !== undefined || this.method === "ACK") return false;
    const text = JSON.stringify(responseTo(this.fields, code, fields));
    if (code < 200) {
      this.journal.send("provisional", text);
    } else {
      this.#final = this.journal.send(this.method === "INVITE" ? "invite-final" : "final", text);
    }
    return true;
  }

  /** The server asks again: its answer may be lost. */
  repeat(): void {
    if (this.#final !== undefined) this.journal.repeat(this.#final);
  }

  acknowledged(): void {
    if (this.#final !== undefined) this.journal.forget(this.#final);
  }
}
