/** Requests of this side: one promise each, and exactly one outcome. */
import { RejectedError, TimeoutError } from "./errors.js";
import { Timer } from "./timers.js";
import { reasonOf, transactionKey } from "./wire.js";
/** ms that a request has after a provisional response: a little more than the server gives the other side (`jsip.prtimer`). */
const EXTENSION = 65_000;
/** The same for an INVITE, for which the server waits twice that. */
const INVITE_EXTENSION = 125_000;
/** See the module. */
export class Requests {
    journal;
    timers;
    maxPending;
    #open = new Map();
    constructor(journal, timers, maxPending) {
        this.journal = journal;
        this.timers = timers;
        this.maxPending = maxPending;
    }
    /** How many have no final response. */
    get size() {
        return this.#open.size;
    }
    /** Sends a request. Resolves to its final response below 300; else rejects. */
    send(request, options) {
        // What ends a call must always have room.
        const isEnding = request.Type === "BYE" || request.Type === "CANCEL";
        if (this.#open.size >= this.maxPending && !isEnding)
            return refusal(503, "Too many unfinished requests");
        const key = transactionKey(request);
        if (this.#open.has(key))
            return refusal(491, "Request Pending");
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
    settle(response, text) {
        const key = transactionKey(response);
        const open = this.#open.get(key);
        if (open === undefined)
            return false;
        if (response.Code >= 200) {
            this.#take(key);
            open.options.onFinal?.(response);
            if (response.Code < 300)
                open.resolve(response);
            else
                open.reject(new RejectedError(response.Code, reasonOf(response), response));
        }
        else if (open.lastProgress !== text) {
            open.lastProgress = text;
            open.deadline.set(open.request.Type === "INVITE" ? INVITE_EXTENSION : EXTENSION);
            if (response.Code > 100)
                open.options.onProgress?.(response);
        }
        return true;
    }
    /** Rejects all. */
    close(error) {
        for (const key of [...this.#open.keys()])
            this.#take(key)?.reject(error);
    }
    #take(key) {
        const open = this.#open.get(key);
        this.#open.delete(key);
        open?.deadline.clear();
        if (open !== undefined)
            this.journal.forget(open.entry);
        return open;
    }
}
function refusal(code, reason) {
    return Promise.reject(new RejectedError(code, reason));
}
