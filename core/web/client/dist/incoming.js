/** Requests of the other side: each is shown once and answered once, however often it comes. */
import { Memory } from "./memory.js";
import { responseTo, transactionKey } from "./wire.js";
/** ms for which a request is known again: longer than the server keeps any that is unfinished. */
const REMEMBERED = 300_000;
const MOST = 4096;
/** See the module. */
export class Served {
    journal;
    #seen;
    constructor(journal, timers) {
        this.journal = journal;
        this.#seen = new Memory(timers, MOST, REMEMBERED);
    }
    /** A request has come. `undefined`: it came before, and nothing more is to be done. */
    take(fields) {
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
    acknowledged(dialogueId, cseq) {
        this.#seen.get(`INVITE ${cseq} ${dialogueId}`)?.acknowledged();
    }
    /** Forgets all. */
    clear() {
        this.#seen.clear();
    }
}
class Serving {
    fields;
    journal;
    #final;
    constructor(fields, journal) {
        this.fields = fields;
        this.journal = journal;
    }
    get method() {
        return this.fields.Type;
    }
    get isAnswered() {
        return this.#final !== undefined;
    }
    respond(code, fields = {}) {
        if (this.#final !== undefined || this.method === "ACK")
            return false;
        const text = JSON.stringify(responseTo(this.fields, code, fields));
        if (code < 200) {
            this.journal.send("provisional", text);
        }
        else {
            this.#final = this.journal.send(this.method === "INVITE" ? "invite-final" : "final", text);
        }
        return true;
    }
    /** The server asks again: its answer may be lost. */
    repeat() {
        if (this.#final !== undefined)
            this.journal.repeat(this.#final);
    }
    acknowledged() {
        if (this.#final !== undefined)
            this.journal.forget(this.#final);
    }
}
