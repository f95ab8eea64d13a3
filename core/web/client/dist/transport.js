/**
 * One WebSocket, kept up.
 *
 * | state | event | does | next |
 * |---|---|---|---|
 * | closed | `open` | connects | connecting |
 * | connecting, reconnecting | the socket opens | | online |
 * | connecting, reconnecting | it does not, within `connect` | waits by back-off, connects | same |
 * | online | the socket is lost | waits by back-off, connects | reconnecting |
 * | any | the server closes with 4001 | | closed |
 * | any | `close` | closes the socket | closed |
 */
import { Backoff } from "./backoff.js";
import { ClosedError, ConnectionError, ReplacedError } from "./errors.js";
import { Timer } from "./timers.js";
/** `WebSocket.OPEN` in the field `readyState` is not asked: what counts is what the events say. */
const NORMAL = 1000;
const REPLACED = 4001;
/** A socket that was up for so long counts as a good one: after it the back-off begins anew. */
const STABLE = 10_000;
/** The other side has so long to answer a close. */
const CLOSING = 2_000;
/** See the module. */
export class Transport {
    options;
    listener;
    #state = "closed";
    #socket;
    #openedAt = 0;
    #backoff;
    #wait;
    #deadline;
    constructor(options, listener) {
        this.options = options;
        this.listener = listener;
        this.#backoff = new Backoff(options.backoff, options.random);
        this.#wait = new Timer(options.timers, () => this.#connect());
        this.#deadline = new Timer(options.timers, () => this.giveUp("no connection in time"));
    }
    get state() {
        return this.#state;
    }
    /** Connects, and keeps connected until `close`. */
    open() {
        if (this.#state !== "closed")
            return;
        this.#backoff.reset();
        this.#become("connecting");
        this.#connect();
    }
    /** Writes a frame. `false`: there is no socket, or it takes none. */
    send(text) {
        if (this.#state !== "online" || this.#socket === undefined)
            return false;
        try {
            this.#socket.send(text);
            return true;
        }
        catch {
            this.giveUp("the socket takes nothing");
            return false;
        }
    }
    /** Does not wait any longer for the next try. */
    retry() {
        if (!this.#wait.isSet)
            return;
        this.#wait.clear();
        this.#connect();
    }
    /** Leaves the socket, whatever it says of itself, and connects again. */
    giveUp(why, code) {
        if (this.#state === "closed")
            return;
        this.#leave(NORMAL);
        if (this.#state === "online") {
            if (this.options.timers.now() - this.#openedAt >= STABLE)
                this.#backoff.reset();
        }
        this.#wait.set(this.#backoff.next());
        const cause = new ConnectionError(why, code);
        this.#become(this.#state === "connecting" ? "connecting" : "reconnecting", cause);
    }
    /** Closes for good. Resolves when the other side knows, or has had its time. */
    close(cause = new ClosedError()) {
        this.#wait.clear();
        const closed = this.#leave(NORMAL);
        if (this.#state !== "closed")
            this.#become("closed", cause);
        return closed;
    }
    #connect() {
        let socket;
        this.#deadline.set(this.options.backoff.connect);
        try {
            socket = new this.options.WebSocket(this.options.url);
        }
        catch (error) {
            this.giveUp(`no socket: ${String(error)}`);
            return;
        }
        this.#socket = socket;
        const isCurrent = () => this.#socket === socket;
        socket.onopen = () => {
            if (!isCurrent())
                return;
            this.#deadline.clear();
            this.#openedAt = this.options.timers.now();
            this.#become("online");
        };
        socket.onmessage = (event) => {
            if (isCurrent() && typeof event.data === "string")
                this.listener.onText(event.data);
        };
        // A close event follows each error.
        socket.onerror = () => { };
        socket.onclose = (event) => {
            if (!isCurrent())
                return;
            if (event.code === REPLACED) {
                void this.close(new ReplacedError());
            }
            else {
                const reason = String(event.reason ?? "");
                this.giveUp(reason === "" ? `the socket was lost (${event.code})` : reason, event.code);
            }
        };
    }
    /** What comes from the socket from now on is not heard. */
    #leave(code) {
        const socket = this.#socket;
        this.#socket = undefined;
        this.#deadline.clear();
        if (socket === undefined)
            return Promise.resolve();
        return new Promise((resolve) => {
            const late = new Timer(this.options.timers, resolve);
            socket.onclose = () => {
                late.clear();
                resolve();
            };
            late.set(CLOSING);
            try {
                socket.close(code);
            }
            catch {
                resolve();
            }
        });
    }
    #become(state, cause) {
        this.#state = state;
        this.listener.onState(state, cause);
    }
}
