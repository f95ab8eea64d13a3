/** The client, as its users see it. */
import { Asker } from "./asker.js";
import { Callee } from "./callee.js";
import { Caller } from "./caller.js";
import { DEFAULT_EXPIRE } from "./call.js";
import { ClosedError, TimeoutError } from "./errors.js";
import { Emitter } from "./events.js";
import { History } from "./history.js";
import { Messages } from "./messages.js";
import { check } from "./options.js";
import { Watched } from "./presence.js";
import { Registrar } from "./registration.js";
import { Rooms } from "./room.js";
import { Stack } from "./stack.js";
import { Timer } from "./timers.js";
import { onWake } from "./wake.js";
/** ms */
const CONNECT = 10_000;
/** One user, on one device, with one socket to the server. */
export class Client {
    #options;
    #emitter = new Emitter();
    #stack;
    #asker;
    #registrar;
    #watched;
    #messages;
    #rooms;
    #history;
    #stopWaking;
    /** @throws TypeError if an option is wrong. */
    constructor(options) {
        const checked = check(options);
        const onError = (error) => void this.#tell("error", error);
        this.#options = checked;
        this.#stack = new Stack(checked, {
            onState: (state, cause) => this.#onState(state, cause),
            onRequest: (request) => this.#onRequest(request),
            onError,
        });
        this.#asker = new Asker(this.#stack, checked.user, checked.uri);
        this.#registrar = new Registrar(this.#asker, onError);
        this.#watched = new Watched(this.#asker, (news) => this.#tell("presence", news), onError);
        this.#messages = new Messages(this.#asker, {
            onMessage: (message) => this.#tell("message", message) === "taken",
            onReceipt: (receipt) => this.#tell("receipt", receipt),
        }, checked);
        this.#rooms = new Rooms(this.#asker, this.#messages, onError);
        this.#history = new History(checked.apiUrl, checked.fetch, this.#registrar, checked.timers);
    }
    /** Without the device. */
    get user() {
        return this.#options.user;
    }
    get device() {
        return this.#options.device;
    }
    /** `user`, or `user;device=DEVICE`. */
    get uri() {
        return this.#options.uri;
    }
    get state() {
        return this.#stack.state;
    }
    /** Adds a handler. What is given back takes it off again. */
    on(name, handler) {
        return this.#emitter.on(name, handler);
    }
    /**
     * Connects, and keeps connected until `close`. Resolves when the socket is up.
     * @throws TimeoutError if it is not within `timeout` ms (10 s; `Infinity` waits for ever). Then the client is closed.
     */
    connect({ timeout = CONNECT } = {}) {
        if (this.state === "online")
            return Promise.resolve();
        return new Promise((resolve, reject) => {
            let late = false;
            const settle = (how) => {
                deadline.clear();
                off();
                how();
            };
            const deadline = new Timer(this.#options.timers, () => {
                late = true;
                void this.close();
            });
            const off = this.on("state", (state, cause) => {
                if (state === "online")
                    settle(resolve);
                if (state === "closed")
                    settle(() => reject(late ? new TimeoutError("no connection in time") : (cause ?? new ClosedError())));
            });
            deadline.set(timeout);
            this.#stopWaking ??= onWake(() => this.#stack.wake());
            this.#stack.open();
        });
    }
    /** Unregisters, leaves rooms, ends calls, and closes the socket. What is unfinished rejects with `ClosedError`. */
    close() {
        if (this.state !== "closed") {
            this.#registrar.leave();
            this.#rooms.leave();
        }
        return this.#stack.close();
    }
    /** Does not wait any longer for the next try to connect. */
    retry() {
        this.#stack.retry();
    }
    /** Sends a request, and resolves to its final response if that is below 300. */
    request(method, fields, { timeout } = {}) {
        return this.#asker.ask(method, fields, timeout);
    }
    /** Calls somebody. */
    invite(to, body, { contentType, headers, expire = DEFAULT_EXPIRE } = {}) {
        const fields = { ...headers, To: to, "Content-Type": contentType, Body: body, Expire: expire };
        return new Caller(this.#stack, this.#asker.make("INVITE", fields), (thrown) => this.#onThrown(thrown));
    }
    /** Makes this device known, and keeps it so until `unregister` or `close`. */
    register(options = {}) {
        return this.#registrar.register(options);
    }
    /** This device is away, though its socket may stay. */
    unregister() {
        return this.#registrar.unregister();
    }
    /** Watches a user: `presence` events tell of the state at once and of each change. */
    subscribePresence(user) {
        return this.#watched.subscribe(user);
    }
    /** Sends a message to a user. Those to one user arrive in order. */
    message(to, body, options = {}) {
        return this.#messages.send({ To: to, Body: body }, options);
    }
    /** Tells a user that these messages of theirs have been read. */
    markRead(user, ids) {
        return this.#messages.markRead(user, ids);
    }
    /** A chat room, such as `room:lobby@example.com`. */
    room(id) {
        return this.#rooms.room(id);
    }
    /** Stored messages of a conversation with a user or a room. */
    history(with_, page = {}) {
        return this.#history.history(with_, page);
    }
    /** The user's conversations. */
    conversations(page = {}) {
        return this.#history.conversations(page);
    }
    #onState(state, cause) {
        if (state === "online") {
            this.#registrar.onOnline();
            this.#rooms.onOnline();
            this.#watched.onOnline();
        }
        if (state === "closed") {
            this.#stopWaking?.();
            this.#stopWaking = undefined;
            this.#registrar.onClosed();
            this.#rooms.onClosed();
            this.#watched.onClosed();
        }
        this.#tell("state", state, cause);
    }
    #onRequest(request) {
        if (request.method === "MESSAGE") {
            this.#messages.onRequest(request);
        }
        else if (request.method === "INVITE") {
            const call = new Callee(this.#stack, request, (thrown) => this.#onThrown(thrown));
            if (this.#tell("invite", call) === "nobody")
                call.reject(480);
        }
        else if (request.method !== "NOTIFY" || !this.#watched.onNotify(request)) {
            if (this.#tell("request", request) === "nobody")
                request.respond(501);
        }
    }
    /** Tells the handlers. `"thrown"`: one of them at least has not taken it. */
    #tell(name, ...given) {
        const { handlers, thrown } = this.#emitter.emit(name, ...given);
        for (const error of thrown)
            this.#onThrown(error, name === "error");
        if (handlers === 0)
            return "nobody";
        return thrown.length > 0 ? "thrown" : "taken";
    }
    /** A handler's mistake: to the handlers of `error`, or else where all mistakes go that nobody catches. */
    #onThrown(thrown, isOfError = false) {
        const error = thrown instanceof Error ? thrown : new Error(String(thrown));
        if (!isOfError && this.#emitter.emit("error", error).handlers > 0)
            return;
        queueMicrotask(() => {
            throw error;
        });
    }
}
