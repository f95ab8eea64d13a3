/** Messages between users and in rooms, and their receipts. */
import { RejectedError, TimeoutError } from "./errors.js";
import { randomId } from "./ids.js";
import { Memory } from "./memory.js";
import { userOf } from "./wire.js";
const RECEIPT = "receipt";
/** Ids in one receipt: at 64 characters each they stay far below the size of a frame. */
const IDS = 200;
/** Ids of messages that are known again, and for how long (ms). */
const KNOWN = 8192;
const KNOWN_FOR = 24 * 3_600_000;
/** See the module. */
export class Messages {
    asker;
    listener;
    limits;
    #known;
    /** The last message to each receiver: the next one waits for it, or they might overtake each other. */
    #last = new Map();
    #waiting = 0;
    constructor(asker, listener, limits) {
        this.asker = asker;
        this.listener = listener;
        this.limits = limits;
        this.#known = new Memory(asker.timers, KNOWN, KNOWN_FOR);
    }
    async send(fields, { contentType, id = randomId(), timeout = this.limits.timeout }) {
        const message = { ...fields, "Content-Type": contentType, "Message-ID": id };
        const response = await this.#inTurn(fields.To, timeout, (left) => this.asker.ask("MESSAGE", message, left));
        return { id: idOf(response) ?? id, date: dateOf(response), status: response.Code === 202 ? "stored" : "delivered" };
    }
    async markRead(user, ids) {
        for (let start = 0; start < ids.length; start += IDS) {
            await this.send({ To: user, Body: { read: ids.slice(start, start + IDS) } }, { contentType: RECEIPT });
        }
    }
    /** A MESSAGE has come. */
    onRequest(request) {
        const { fields } = request;
        // Between users the server lets none through, as `From` says who it is. So this comes from a room that would be taken for a user;
        // or it is from a user whose name would be taken for a room.
        const isOfRoom = isRoom(userOf(fields.To));
        if (!isOfRoom && (fields["P-Asserted-Identity"] !== undefined || isRoom(userOf(fields.From)))) {
            request.respond(403);
            return;
        }
        // In a room it is no more than what somebody says: `From` may be any name there.
        if (!isOfRoom && fields["Content-Type"] === RECEIPT) {
            request.respond(200);
            const from = userOf(fields.From);
            const own = from === this.asker.user;
            this.listener.onReceipt({ from, conversation: own ? userOf(fields.To) : from, own, ...receiptOf(fields.Body) });
            return;
        }
        const message = this.#read(fields);
        const key = `${message.sender} ${message.conversation} ${message.id}`;
        if (this.#known.get(key) === undefined) {
            if (!this.listener.onMessage(message)) {
                request.respond(503); // so it is kept, and comes again; 480 would say that this device is not there
                return;
            }
            this.#known.set(key, true);
        }
        request.respond(200);
    }
    #read(fields) {
        const to = userOf(fields.To);
        const room = isRoom(to) ? to : undefined;
        const identity = fields["P-Asserted-Identity"];
        const sender = userOf(room !== undefined && typeof identity === "string" ? identity : fields.From);
        const own = sender === this.asker.user;
        return {
            id: idOf(fields) ?? `${fields.DialogueID} ${fields.CSeq}`,
            from: room === undefined ? sender : fields.From,
            to,
            conversation: room ?? (own ? to : sender),
            room,
            sender,
            own,
            date: dateOf(fields),
            contentType: typeof fields["Content-Type"] === "string" ? fields["Content-Type"] : undefined,
            body: fields.Body,
            fields,
        };
    }
    /** Does it when all that was begun before for the same receiver is done, however it went. */
    async #inTurn(to, timeout, send) {
        if (this.#waiting >= this.limits.maxPending)
            throw new RejectedError(503, "Too many unfinished messages");
        const due = this.asker.timers.now() + timeout;
        const before = this.#last.get(to);
        const own = (async () => {
            await before?.catch(() => { });
            const left = due - this.asker.timers.now();
            if (left <= 0)
                throw new TimeoutError(`no answer to MESSAGE of ${to} in time`);
            return send(left);
        })();
        this.#last.set(to, own);
        this.#waiting += 1;
        try {
            return await own;
        }
        finally {
            this.#waiting -= 1;
            if (this.#last.get(to) === own)
                this.#last.delete(to);
        }
    }
}
function isRoom(to) {
    return to.startsWith("room:");
}
function idOf(fields) {
    const id = fields["Message-ID"];
    return typeof id === "string" && id !== "" ? id : undefined;
}
function dateOf(fields) {
    const date = new Date(typeof fields.Date === "string" ? fields.Date : NaN);
    return Number.isNaN(date.getTime()) ? new Date() : date;
}
function receiptOf(body) {
    const { delivered, read } = (body ?? {});
    return { delivered: strings(delivered), read: strings(read) };
}
function strings(value) {
    return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}
