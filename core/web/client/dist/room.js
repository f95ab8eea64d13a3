/** Chat rooms. */
import { RejectedError } from "./errors.js";
import { randomId } from "./ids.js";
import { Timer } from "./timers.js";
/** Seconds that a membership lasts if it is not refreshed. */
const EXPIRE = 120;
/** ms after which a refresh that failed is tried again. */
const AGAIN = 5_000;
/** All rooms of a client. */
export class Rooms {
    asker;
    messages;
    onError;
    #rooms = new Map();
    constructor(asker, messages, onError) {
        this.asker = asker;
        this.messages = messages;
        this.onError = onError;
    }
    /** The same one for the same id, as long as it is joined. */
    room(id) {
        const known = this.#rooms.get(id);
        if (known !== undefined)
            return known;
        const room = new Membership(id, this.asker, this.messages, this.onError);
        this.#rooms.set(id, room);
        return room;
    }
    /** There is a new socket. */
    onOnline() {
        for (const room of this.#rooms.values())
            room.again();
    }
    /** Says good-bye, and waits for nothing. */
    leave() {
        for (const room of this.#rooms.values())
            if (room.joined)
                room.leave().catch(() => { });
    }
    onClosed() {
        for (const room of this.#rooms.values())
            room.stop();
    }
}
class Membership {
    id;
    asker;
    messages;
    onError;
    /** As long as it is wanted. */
    #nickname;
    #isJoined = false;
    #refresh;
    constructor(id, asker, messages, onError) {
        this.id = id;
        this.asker = asker;
        this.messages = messages;
        this.onError = onError;
        this.#refresh = new Timer(asker.timers, () => this.again());
    }
    get joined() {
        return this.#isJoined;
    }
    async join(nickname) {
        const before = this.#nickname;
        this.#nickname = nickname;
        try {
            await this.#ask(nickname);
        }
        catch (error) {
            if (this.#nickname === nickname)
                this.#nickname = before;
            throw error;
        }
    }
    async leave() {
        const nickname = this.#nickname ?? this.asker.user;
        this.stop();
        try {
            await this.asker.ask("SUBSCRIBE", { ...this.#as(nickname), Expire: 0 });
        }
        catch (error) {
            // No member any more: that is what was asked for.
            if (!(error instanceof RejectedError && error.code === 404))
                throw error;
        }
    }
    async send(body, options = {}) {
        const nickname = this.#nickname ?? this.asker.user;
        const message = { ...this.#as(nickname), Body: body };
        const named = { id: randomId(), ...options };
        try {
            return await this.messages.send(message, named);
        }
        catch (error) {
            // A server that was restarted knows no members, until they join again.
            const isStranger = error instanceof RejectedError && error.code === 404;
            if (!isStranger || this.#nickname === undefined)
                throw error;
            await this.#ask(nickname);
            return this.messages.send(message, named);
        }
    }
    again() {
        const nickname = this.#nickname;
        if (nickname === undefined)
            return;
        this.#ask(nickname).catch((error) => {
            if (this.#nickname !== undefined)
                this.onError(error);
        });
    }
    stop() {
        this.#nickname = undefined;
        this.#isJoined = false;
        this.#refresh.clear();
    }
    async #ask(nickname) {
        this.#refresh.clear();
        try {
            await this.asker.ask("SUBSCRIBE", { ...this.#as(nickname), Expire: EXPIRE });
        }
        catch (error) {
            // Whoever asked: a membership that there was is to go on.
            if (this.#nickname !== undefined)
                this.#refresh.set(AGAIN);
            throw error;
        }
        if (this.#nickname === undefined)
            return; // left meanwhile
        this.#isJoined = true;
        this.#refresh.set((EXPIRE * 1000) / 2);
    }
    /** The nickname is in `From`, and who it is in `P-Asserted-Identity`: each device is a member of its own. */
    #as(nickname) {
        return { To: this.id, From: nickname, "P-Asserted-Identity": this.asker.uri };
    }
}
