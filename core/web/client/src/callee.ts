/**
 * The called one's half of a call.
 *
 * | state | event | does | next |
 * |---|---|---|---|
 * | calling, early | `progress` | 101–199 | early |
 * | calling, early | `accept` | 200 | answered |
 * | calling, early | `reject`, `hangUp` | 486, 603 | ended |
 * | calling, early | CANCEL or BYE | 200 to it, 487 to the INVITE | ended |
 * | calling, early | neither, in time | 480 | ended |
 * | answered | ACK | | confirmed |
 * | answered | no ACK in time | BYE | ended |
 */

import { Call, ENDING_TIMEOUT } from "./call.js";
import type { IncomingRequest } from "./incoming.js";
import type { Stack } from "./stack.js";
import { Timer } from "./timers.js";
import { responseTo, type Fields, type Request } from "./wire.js";

/** ms to answer, from the last progress on; the server gives up a little before. */
const ANSWER = 125_000;
/** ms for the ACK (`jsip.acktimer`, and some). */
const ACK = 40_000;

/** See the module. */
export class Callee extends Call {
  readonly #deadline: Timer;

  constructor(
    stack: Stack,
    private readonly invite: IncomingRequest,
    onThrown: (thrown: unknown) => void,
  ) {
    super(stack, invite.fields, "in", onThrown);
    this.#deadline = new Timer(stack.timers, () => this.#onLate());
    this.#deadline.set(ANSWER);
  }

  progress(code = 180, body?: unknown, fields: Fields = {}): void {
    if (!this.#isWaiting) return;
    this.invite.respond(code, { ...fields, Body: body });
    this.current = "early";
    this.#deadline.set(ANSWER);
  }

  accept(body?: unknown, fields: Fields = {}): void {
    if (!this.#isWaiting) return;
    const answer = { ...fields, Body: body };
    this.invite.respond(200, answer);
    this.current = "answered";
    this.#deadline.set(ACK);
    this.session.heard();
    this.resolveAnswered(responseTo(this.fields, 200, answer));
  }

  reject(code = 486, reason?: string): void {
    if (!this.#isWaiting) return;
    this.invite.respond(code, { Reason: reason });
    this.end({ by: "self", reason: reason ?? "rejected" });
  }

  override onAck(cseq: number): void {
    super.onAck(cseq);
    if (this.current !== "answered" || cseq !== this.fields.CSeq) return;
    this.#deadline.clear();
    this.current = "confirmed";
  }

  protected override async giveUp(): Promise<void> {
    this.reject(603);
  }

  protected override sayNo(): void {
    this.invite.respond(480);
  }

  protected override onCancel(request: IncomingRequest): void {
    if (!this.#isWaiting) {
      request.respond(481);
      return;
    }
    request.respond(200);
    this.invite.respond(487);
    this.end({ by: "peer", reason: "cancelled" });
  }

  protected override onBye(bye: Request): void {
    this.invite.respond(487); // if it has no answer
    super.onBye(bye);
  }

  protected override onEnd(): void {
    this.#deadline.clear();
  }

  get #isWaiting(): boolean {
    return this.current === "calling" || this.current === "early";
  }

  #onLate(): void {
    if (this.#isWaiting) {
      this.sayNo();
      this.end({ by: "client", reason: "not answered in time" });
    } else {
      this.stack.tell(this.follow("BYE"), ENDING_TIMEOUT);
      this.end({ by: "client", reason: "the answer was not acknowledged" });
    }
  }
}
