/** Joins the parts of the protocol: what comes goes where it belongs, what leaves survives the socket. */
import { ClosedError, RtcdError } from "./errors.js";
import { Served } from "./incoming.js";
import { Journal } from "./journal.js";
import { Liveness } from "./liveness.js";
import { Memory } from "./memory.js";
import { Requests } from "./requests.js";
import { Transport } from "./transport.js";
import { ackOf, decode, isResponse, transactionKey } from "./wire.js";
/** They belong to a session, and are nothing without one. */
const WITHIN = new Set(["BYE", "CANCEL", "INFO", "UPDATE", "PRACK"]);
/** See the module. */
export class Stack {
    options;
    listener;
    timers;
    #transport;
    #liveness;
    #journal;
    #requests;
    #served;
    /** The ACKs by what they acknowledge: that may come again. */
    #acks;
    #parties = new Map();
    #cseq = 0;
    constructor(options, listener) {
        this.options = options;
        this.listener = listener;
        this.timers = options.timers;
        this.#transport = new Transport(options, {
            onState: (state, cause) => this.#onState(state, cause),
            onText: (text) => this.#onText(text),
        });
        this.#liveness = new Liveness(options, this.timers, () => this.#transport.giveUp(`nothing was heard for ${options.silence} ms`), () => this.#ask());
        this.#journal = new Journal((text) => this.#transport.send(text), this.timers, options.maxMessageSize);
        this.#requests = new Requests(this.#journal, this.timers, options.maxPending);
        this.#served = new Served(this.#journal, this.timers);
        this.#acks = new Memory(this.timers, 256, 300_000);
    }
    get state() {
        return this.#transport.state;
    }
    open() {
        this.#transport.open();
    }
    retry() {
        this.#transport.retry();
    }
    /** The network or the machine may have slept: connects now, or finds out whether the socket has outlived it. */
    wake() {
        if (this.state === "online")
            this.#ask();
        else
            this.#transport.retry();
    }
    close() {
        const error = new ClosedError();
        for (const party of [...this.#parties.values()])
            party.onClosed(error, true);
        return this.#transport.close(error);
    }
    /** The next number that this side has not used. */
    nextCSeq() {
        this.#cseq += 1;
        return this.#cseq;
    }
    /** Sends a request; see `Requests.send`. */
    send(request, options) {
        if (this.state === "closed")
            return Promise.reject(new ClosedError());
        const response = this.#requests.send(request, options);
        // An INVITE may ring for long; to all else the server itself answers, if nobody does.
        if (request.Type !== "INVITE" && this.state === "online")
            this.#liveness.asked();
        return response;
    }
    /** Sends a request that nobody waits for, whatever becomes of it. */
    tell(request, timeout) {
        this.send(request, { timeout }).catch(() => { });
    }
    /** Acknowledges the final response to an INVITE. */
    ack(response, fields = {}) {
        const ack = { ...fields, ...ackOf(response, this.nextCSeq()) };
        this.#acks.set(transactionKey(response), this.#journal.send("ack", JSON.stringify(ack)));
    }
    /** From now on requests of this dialog go there. */
    join(dialogueId, party) {
        this.#parties.set(dialogueId, party);
    }
    /** The dialog is over. */
    leave(dialogueId) {
        this.#parties.delete(dialogueId);
    }
    #ask() {
        const { user } = this.options;
        const options = {
            Type: "OPTIONS", "Request-URI": user, From: user, To: user, DialogueID: `alive-${this.nextCSeq()}`, CSeq: this.nextCSeq(),
        };
        this.tell(options, this.options.silence);
    }
    #onState(state, cause) {
        if (state === "online") {
            this.#liveness.start();
            this.#journal.resend();
            if (this.#requests.size > 0)
                this.#liveness.asked();
        }
        else {
            this.#liveness.stop();
        }
        this.listener.onState(state, cause);
        if (state === "online")
            for (const party of [...this.#parties.values()])
                party.onOnline();
        if (state === "closed")
            this.#end(cause instanceof ClosedError ? cause : new ClosedError());
    }
    #end(error) {
        for (const party of [...this.#parties.values()])
            party.onClosed(error, false);
        this.#parties.clear();
        this.#requests.close(error);
        this.#journal.clear();
        this.#served.clear();
        this.#acks.clear();
    }
    #onText(text) {
        this.#liveness.heard();
        const message = decode(text);
        if (typeof message === "string") {
            this.listener.onError(new RtcdError(`a frame of the server is bad: ${message}`));
        }
        else if (isResponse(message)) {
            if (this.#requests.settle(message, text) || message.Code < 200)
                return;
            const ack = this.#acks.get(transactionKey(message));
            if (ack !== undefined)
                this.#journal.repeat(ack);
        }
        else if (message.Type === "ACK") {
            const invite = message.RelatedID ?? message.CSeq;
            this.#served.acknowledged(message.DialogueID, invite);
            this.#parties.get(message.DialogueID)?.onAck(invite);
        }
        else {
            this.#onRequest(message);
        }
    }
    #onRequest(message) {
        const request = this.#served.take(message);
        if (request === undefined)
            return;
        const party = this.#parties.get(message.DialogueID);
        const isWithin = WITHIN.has(message.Type);
        if (party !== undefined && (isWithin || message.Type === "INVITE"))
            party.onRequest(request);
        else if (isWithin)
            request.respond(481);
        else
            this.listener.onRequest(request);
    }
}
