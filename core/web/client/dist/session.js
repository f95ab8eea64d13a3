/**
 * Is the call still there? The caller sends an UPDATE every third of `Expire`; to the called one the server does. If none goes
 * through for a whole `Expire`, the call is lost. On a new socket both sides ask at once: a server that was restarted knows no calls.
 */
import { RejectedError } from "./errors.js";
import { Timer } from "./timers.js";
/** A server's message may be under way when the time is over. */
const SLACK = 5_000;
/** The session timer of one call. */
export class Session {
    direction;
    expire;
    update;
    onLost;
    #refresh;
    #deadline;
    #isAsking = false;
    constructor(timers, direction, 
    /** ms */
    expire, update, 
    /** The call is lost; `isKnown` tells whether the server may still know it. */
    onLost) {
        this.direction = direction;
        this.expire = expire;
        this.update = update;
        this.onLost = onLost;
        this.#refresh = new Timer(timers, () => this.ask());
        this.#deadline = new Timer(timers, () => onLost("nothing was heard of the call", true));
    }
    /** The call is up, or the other side has refreshed it. */
    heard() {
        this.#deadline.set(this.expire + SLACK);
        if (this.direction === "out" && !this.#refresh.isSet)
            this.#refresh.set(this.expire / 3);
    }
    /** Asks whether the server knows the call. */
    ask() {
        if (this.direction === "out")
            this.#refresh.set(this.expire / 3);
        if (this.#isAsking)
            return;
        this.#isAsking = true;
        this.update()
            .then(() => this.#deadline.isSet && this.heard(), (error) => {
            const isUnknown = error instanceof RejectedError && error.code === 481;
            if (isUnknown && this.#deadline.isSet)
                this.onLost("the server does not know the call any more", false);
        })
            .finally(() => (this.#isAsking = false));
    }
    stop() {
        this.#refresh.clear();
        this.#deadline.clear();
    }
}
