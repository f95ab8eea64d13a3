/** The other side's re-INVITE: while its ACK is under way a new INVITE would be refused with 491. */
import { Timer } from "./timers.js";
/** ms; the ACK may be lost together with the call (`jsip.acktimer`). */
const PATIENCE = 32_000;
/** The last re-INVITE of the other side. */
export class Reinvited {
    #request;
    #waiting = [];
    #deadline;
    constructor(timers) {
        this.#deadline = new Timer(timers, () => this.over());
    }
    /** It has come. */
    came(request) {
        this.#request = request;
    }
    /** An ACK has come. */
    acknowledged(cseq) {
        if (this.#request?.fields.CSeq === cseq)
            this.over();
    }
    /** Nobody has to wait. */
    over() {
        this.#request = undefined;
        this.#deadline.clear();
        for (const go of this.#waiting.splice(0))
            go();
    }
    /** Resolves at once, or else when the ACK of what was answered is there. */
    settled() {
        if (this.#request === undefined || !this.#request.isAnswered)
            return Promise.resolve();
        if (!this.#deadline.isSet)
            this.#deadline.set(PATIENCE);
        return new Promise((resolve) => this.#waiting.push(resolve));
    }
}
