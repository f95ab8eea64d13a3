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
import { Timer } from "./timers.js";
/** See the module. */
export class Caller extends Call {
    /** Set while the INVITE is cancelled. */
    #cancelling;
    constructor(stack, invite, onThrown) {
        super(stack, invite, "out", onThrown);
        this.#cancelling = new Timer(stack.timers, () => this.end({ by: "self", reason: "cancelled" }));
        const sent = stack.send(invite, {
            timeout: INVITE_TIMEOUT,
            onProgress: (response) => this.#onProgress(response),
            onFinal: (response) => this.#onFinal(response),
        });
        sent.catch((error) => this.#onFailure(error));
    }
    /** Nothing: this is the side that has asked. */
    progress() { }
    accept() { }
    reject() { }
    async giveUp() {
        if (!this.#cancelling.isSet) {
            this.#cancelling.set(ENDING_TIMEOUT);
            this.sayNo();
        }
        await this.ended;
    }
    sayNo() {
        this.stack.tell({ ...this.follow("CANCEL"), RelatedID: this.fields.CSeq }, ENDING_TIMEOUT);
    }
    onCancel(request) {
        request.respond(481); // there is nothing that the other side could cancel
    }
    onEnd() {
        this.#cancelling.clear();
    }
    #onProgress(response) {
        if (this.current !== "calling" && this.current !== "early")
            return;
        this.current = "early";
        this.emit("progress", response);
    }
    #onFinal(response) {
        this.stack.ack(response);
        if (response.Code >= 300)
            return;
        if (this.current === "ended" || this.#cancelling.isSet) {
            this.stack.tell(this.follow("BYE"), ENDING_TIMEOUT);
            this.end({ by: "self", reason: "cancelled" });
            return;
        }
        this.current = "confirmed";
        this.session.heard();
        this.resolveAnswered(response);
    }
    #onFailure(error) {
        if (this.current === "ended")
            return;
        if (this.#cancelling.isSet) {
            this.end({ by: "self", reason: "cancelled" });
            return;
        }
        if (!(error instanceof RejectedError))
            this.sayNo();
        this.refused(error);
    }
}
