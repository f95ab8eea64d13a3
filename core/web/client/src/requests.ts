/** Requests of this side: one promise each, and exactly one outcome. */

import { RejectedError, TimeoutError, type ClosedError } from "./errors.js";
import type { Entry, Journal } from "./journal.js";
import { Timer, type Timers } from "./timers.js";
import { reasonOf, transactionKey, type Request, type Response } from "./wire.js";

/** How one request is sent. */
export interface SendOptions {
  /** ms until it must have its final response; a provisional one gives it `extension` from then on. */
  timeout: number;
  /** Is given provisional responses (101–199), each once. */
  onProgress?: (response: Response) => void;
  /** Is given the final response before the promise is settled, whatever its code. */
  onFinal?: (response: Response) => void;
}

interface Open {
  request: Request;
  entry: Entry;
  options: SendOptions;
  deadline: Timer;
  /** The last provisional response as it came: after a reconnect the server may send it again. */
  lastProgress: string | undefined;
  resolve(response: Response): void;
  reject(error: Error): void;
}

/** ms that a request has after a provisional response: a little more than the server gives the other side (`jsip.prtimer`). */
const EXTENSION = 65_000;
/** The same for an INVITE, for which the server waits twice that. */
const INVITE_EXTENSION = 125_000;

/** See the module. */
export class Requests {
  readonly #open = new Map<string, Open>();

  constructor(
    private readonly journal: Journal,
    private readonly timers: Timers,
    private readonly maxPending: number,
  ) {}

  /** How many have no final response. */
  get size(): number {
    return this.#open.size;
  }

  /** Sends a request. Resolves to its final response below 300; else rejects. */
  send(request: Request, options: SendOptions): Promise<Response> {
    // What ends a call must always have room.
    const isEnding = request.Type === "BYE" || request.Type === "CANCEL";
    if (this.#open.size >= this.maxPending && !isEnding) return refusal(503, "Too many unfinished requests");
    const key = transactionKey(request);
    if (this.#open.has(key)) return refusal(491, "Request Pending");
    return new Promise((resolve, reject) => {
      const entry = this.journal.send("request", JSON.stringify(request));
      const deadline = new Timer(this.timers, () => {
        const what = `no answer to ${request.Type} of ${request.To} in time`;
        this.#take(key)?.reject(new TimeoutError(what));
      });
      deadline.set(options.timeout);
      this.#open.set(key, { request, entry, options, deadline, lastProgress: undefined, resolve, reject });
    });
  }

  /** A response has come. `false`: it belongs to no open request. */
  settle(response: Response, text: string): boolean {
    const key = transactionKey(response);
    const open = this.#open.get(key);
    if (open === undefined) return false;
    if (response.Code >= 200) {
      this.#take(key);
      open.options.onFinal?.(response);
      if (response.Code < 300) open.resolve(response);
      else open.reject(new RejectedError(response.Code, reasonOf(response), response));
    } else if (open.lastProgress !== text) {
      open.lastProgress = text;
      open.deadline.set(open.request.Type === "INVITE" ? INVITE_EXTENSION : EXTENSION);
      if (response.Code > 100) open.options.onProgress?.(response);
    }
    return true;
  }

  /** Rejects all. */
  close(error: ClosedError): void {
    for (const key of [...this.#open.keys()]) this.#take(key)?.reject(error);
  }

  #take(key: string): Open | undefined {
    const open = this.#open.get(key);
    this.#open.delete(key);
    open?.deadline.clear();
    if (open !== undefined) this.journal.forget(open.entry);
    return open;
  }
}

function refusal(code: number, reason: string): Promise<never> {
  return Promise.reject(new RejectedError(code, reason));
}
