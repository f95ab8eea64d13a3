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
import { Timer } from "./timers.js";
import { responseTo } from "./wire.js";
/** ms to answer, from the last progress on; the server gives up a little before. */
const ANSWER = 125_000;
/** ms for the ACK (`jsip.acktimer`, and some). */
const ACK = 40_000;
/** See the module. */
export class Callee extends Call {
    invite;
    #deadline;
    constructor(stack, invite, onThrown) {
        super(stack, invite.fields, "in", onThrown);
        this.invite = invite;
        this.#deadline = new Timer(stack.timers, () => this.#onLate());
        this.#deadline.set(ANSWER);
    }
    progress(code = 180, body, fields = {}) {
        if (!this.#isWaiting)
            return;
        this.invite.respond(code, { ...fields, Body: body });
        this.current = "early";
        this.#deadline.set(ANSWER);
    }
    accept(body, fields = {}) {
        if (!this.#isWaiting)
            return;
        const answer = { ...fields, Body: body };
        this.invite.respond(200, answer);
        this.current = "answered";
        this.#deadline.set(ACK);
        this.session.heard();
        this.resolveAnswered(responseTo(this.fields, 200, answer));
    }
    reject(code = 486, reason) {
        if (!this.#isWaiting)
            return;
        this.invite.respond(code, { Reason: reason });
        this.end({ by: "self", reason: reason ?? "rejected" });
    }
    onAck(cseq) {
        super.onAck(cseq);
        if (this.current !== "answered" || cseq !== this.fields.CSeq)
            return;
        this.#deadline.clear();
        this.current = "confirmed";
    }
    async giveUp() {
        this.reject(603);
    }
    sayNo() {
        this.invite.respond(480);
    }
    onCancel(request) {
        if (!this.#isWaiting) {
            request.respond(481);
            return;
        }
        request.respond(200);
        this.invite.respond(487);
        this.end({ by: "peer", reason: "cancelled" });
    }
    onBye(bye) {
        this.invite.respond(487); // if it has no answer
        super.onBye(bye);
    }
    onEnd() {
        this.#deadline.clear();
    }
    get #isWaiting() {
        return this.current === "calling" || this.current === "early";
    }
    #onLate() {
        if (this.#isWaiting) {
            this.sayNo();
            this.end({ by: "client", reason: "not answered in time" });
        }
        else {
            this.stack.tell(this.follow("BYE"), ENDING_TIMEOUT);
            this.end({ by: "client", reason: "the answer was not acknowledged" });
        }
    }
}
