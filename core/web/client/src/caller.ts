/**
 * The caller's half of a call.
 *
 * | state | event | does | next |
 * |---|---|---|---|
 * | calling, early | 101–199 | tells of it | early |
 * | calling, early | 200 | ACK | confirmed |
 * | calling, early | 300 or more | ACK | ended |
 * | calling, early | no answer in time | CANCEL | ended |
 * | calling, early | `hangUp` | CANCEL | same, cancelled |
 * | the same, cancelled | 200: it crossed the CANCEL | ACK, BYE | ended |
 * | the same, cancelled | 300 or more | ACK | ended |
 * | the same, cancelled | neither, in time | | ended |
 * | calling, early | BYE of the other side | 200 | ended |
 */

import { Call, ENDING_TIMEOUT, INVITE_TIMEOUT } from "./call.js";
import { RejectedError } from "./errors.js";
import type { IncomingRequest } from "./incoming.js";
import type { Stack } from "./stack.js";
import { Timer } from "./timers.js";
import type { Request, Response } from "./wire.js";

/** See the module. */
export class Caller extends Call {
  /** Set while the INVITE is cancelled. */
  readonly #cancelling: Timer;

  constructor(stack: Stack, invite: Request, onThrown: (thrown: unknown) => void) {
    super(stack, invite, "out", onThrown);
    this.#cancelling = new Timer(stack.timers, () => this.end({ by: "self", reason: "cancelled" }));
    const sent = stack.send(invite, {
      timeout: INVITE_TIMEOUT,
      onProgress: (response) => this.#onProgress(response),
      onFinal: (response) => this.#onFinal(response),
    });
    sent.catch((error: unknown) => this.#onFailure(error));
  }

  /** Nothing: this is the side that has asked. */
  progress(): void {}
  accept(): void {}
  reject(): void {}

  protected override async giveUp(): Promise<void> {
    if (!this.#cancelling.isSet) {
      this.#cancelling.set(ENDING_TIMEOUT);
      this.sayNo();
    }
    await this.ended;
  }

  protected override sayNo(): void {
    this.stack.tell({ ...this.follow("CANCEL"), RelatedID: this.fields.CSeq }, ENDING_TIMEOUT);
  }

  protected override onCancel(request: IncomingRequest): void {
    request.respond(481); // there is nothing that the other side could cancel
  }

  protected override onEnd(): void {
    this.#cancelling.clear();
  }

  #onProgress(response: Response): void {
    if (this.current !== "calling" && this.current !== "early") return;
    this.current = "early";
    this.emit("progress", response);
  }

  #onFinal(response: Response): void {
    this.stack.ack(response);
    if (response.Code >= 300) return;
    if (this.current === "ended" || this.#cancelling.isSet) {
      this.stack.tell(this.follow("BYE"), ENDING_TIMEOUT);
      this.end({ by: "self", reason: "cancelled" });
      return;
    }
    this.current = "confirmed";
    this.session.heard();
    this.resolveAnswered(response);
  }

  #onFailure(error: unknown): void {
    if (this.current === "ended") return;
    if (this.#cancelling.isSet) {
      this.end({ by: "self", reason: "cancelled" });
      return;
    }
    if (!(error instanceof RejectedError)) this.sayNo();
    this.refused(error);
  }
}
