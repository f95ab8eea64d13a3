/** What both sides of a call have in common. */
import { ClosedError, RejectedError } from "./errors.js";
import { Emitter } from "./events.js";
import { Reinvited } from "./reinvited.js";
import { Session } from "./session.js";
import { reasonOf } from "./wire.js";
/** A session that has no `Expire` lasts so long, in seconds (`jsip.sessiontimer`). */
export const DEFAULT_EXPIRE = 600;
/** ms for the answer to a re-INVITE, or to a first INVITE without any progress: the server gives up a little before. */
export const INVITE_TIMEOUT = 125_000;
/** ms for the answer to a BYE or CANCEL, offline time included. */
export const ENDING_TIMEOUT = 32_000;
/** Half of a call; the sub-classes know how it begins. */
export class Call {
    stack;
    fields;
    direction;
    onThrown;
    answered;
    ended;
    current = "calling";
    session;
    resolveAnswered;
    rejectAnswered;
    #emitter = new Emitter();
    #reinvited;
    #resolveEnded;
    constructor(stack, fields, direction, onThrown) {
        this.stack = stack;
        this.fields = fields;
        this.direction = direction;
        this.onThrown = onThrown;
        this.answered = new Promise((resolve, reject) => {
            this.resolveAnswered = resolve;
            this.rejectAnswered = reject;
        });
        this.answered.catch(() => { }); // who does not ask shall not be told
        this.ended = new Promise((resolve) => (this.#resolveEnded = resolve));
        this.#reinvited = new Reinvited(stack.timers);
        const expire = typeof fields.Expire === "number" && fields.Expire > 0 ? fields.Expire : DEFAULT_EXPIRE;
        this.session = new Session(stack.timers, direction, expire * 1000, () => this.request("UPDATE", { Expire: expire }), (reason, isKnown) => {
            if (isKnown)
                this.stack.tell(this.follow("BYE"), ENDING_TIMEOUT);
            this.end({ by: "client", reason });
        });
        stack.join(this.id, this);
    }
    get id() {
        return this.fields.DialogueID;
    }
    get peer() {
        return this.direction === "out" ? this.fields.To : this.fields.From;
    }
    get state() {
        return this.current;
    }
    get body() {
        return this.fields.Body;
    }
    on(name, handler) {
        return this.#emitter.on(name, handler);
    }
    async hangUp() {
        if (this.current === "ended")
            return;
        if (!this.isUp)
            return this.giveUp();
        const bye = this.stack.send(this.follow("BYE"), { timeout: ENDING_TIMEOUT });
        this.end({ by: "self", reason: "hung up" });
        await bye.catch(() => { }); // it is over, whatever is said to it
    }
    async reinvite(body, fields = {}) {
        await this.#reinvited.settled();
        return this.request("INVITE", { ...fields, Body: body });
    }
    info(body, { contentType } = {}) {
        return this.request("INFO", { Body: body, "Content-Type": contentType });
    }
    request(method, fields = {}) {
        if (this.current === "ended")
            return Promise.reject(new RejectedError(481, "the call is over"));
        const request = this.follow(method, fields);
        if (method !== "INVITE")
            return this.stack.send(request, { timeout: this.stack.options.timeout });
        return this.stack.send(request, {
            timeout: INVITE_TIMEOUT,
            onProgress: (response) => this.emit("progress", response),
            onFinal: (response) => {
                this.stack.ack(response);
                if (this.isUp)
                    this.session.heard(); // the call may have ended meanwhile
            },
        });
    }
    onRequest(request) {
        switch (request.method) {
            case "BYE":
                request.respond(200);
                this.onBye(request.fields);
                break;
            case "CANCEL":
                this.onCancel(request);
                break;
            case "UPDATE":
                request.respond(200);
                if (this.isUp)
                    this.session.heard();
                break;
            case "PRACK":
                request.respond(200);
                break;
            case "INVITE":
                if (this.isUp)
                    this.session.heard();
                this.#reinvited.came(request);
                if (this.emit("request", request) === 0)
                    request.respond(488);
                break;
            default:
                if (this.emit("request", request) === 0)
                    request.respond(501);
        }
    }
    onAck(cseq) {
        this.#reinvited.acknowledged(cseq);
    }
    onOnline() {
        if (this.isUp)
            this.session.ask();
    }
    onClosed(error, say) {
        if (this.current === "ended")
            return;
        if (say && this.isUp)
            this.stack.tell(this.follow("BYE"), ENDING_TIMEOUT);
        else if (say)
            this.sayNo();
        this.rejectAnswered(error);
        this.end({ by: "client", reason: error.message });
    }
    /** Whether there is a session: a BYE ends it. */
    get isUp() {
        return this.current === "answered" || this.current === "confirmed";
    }
    onBye(bye) {
        this.end({ by: "peer", reason: typeof bye.Reason === "string" ? bye.Reason : "hung up" });
    }
    /** A later request of this dialog. */
    follow(method, fields = {}) {
        const { DialogueID } = this.fields;
        const isOut = this.direction === "out";
        const [From, To] = isOut ? [this.fields.From, this.fields.To] : [this.fields.To, this.fields.From];
        const uri = isOut ? this.fields["Request-URI"] : this.fields.From;
        return { ...fields, Type: method, "Request-URI": uri, From, To, DialogueID, CSeq: this.stack.nextCSeq() };
    }
    /** The end, whatever was before. Only the first one counts. */
    end(end) {
        if (this.current === "ended")
            return;
        this.current = "ended";
        this.session.stop();
        this.#reinvited.over();
        this.onEnd();
        this.stack.leave(this.id);
        this.rejectAnswered(new RejectedError(487, end.reason));
        this.#resolveEnded(end);
        this.emit("end", end);
    }
    /** The other side, or its server, refused. */
    refused(error) {
        const response = error instanceof RejectedError ? error.response : undefined;
        this.rejectAnswered(error instanceof Error ? error : new Error(String(error)));
        this.end(response === undefined ? { by: "client", reason: String(error) } : { by: "peer", reason: reasonOf(response) });
    }
    /** Tells handlers; gives their number. */
    emit(name, ...given) {
        const { handlers, thrown } = this.#emitter.emit(name, ...given);
        for (const error of thrown)
            this.onThrown(error);
        return handlers;
    }
}
