/** The client, as its users see it. */

import { Asker, type RequestFields } from "./asker.js";
import { Callee } from "./callee.js";
import { Caller } from "./caller.js";
import { DEFAULT_EXPIRE } from "./call.js";
import type { Dialog, InviteOptions } from "./dialog.js";
import { ClosedError, TimeoutError } from "./errors.js";
import { Emitter } from "./events.js";
import { History, type ConversationPage, type HistoryPage, type PageOptions } from "./history.js";
import type { IncomingRequest } from "./incoming.js";
import { Messages, type Message, type MessageOptions, type Receipt, type Sent } from "./messages.js";
import { check, type CheckedOptions, type ClientOptions } from "./options.js";
import { Watched, type PresenceEvent, type PresenceSubscription } from "./presence.js";
import { Registrar, type RegisterOptions, type Registration } from "./registration.js";
import { Rooms, type Room } from "./room.js";
import { Stack } from "./stack.js";
import { Timer } from "./timers.js";
import type { ClientState } from "./transport.js";
import { onWake } from "./wake.js";
import type { Method, Response } from "./wire.js";

/** What a client tells its handlers. */
export type ClientEvents = {
  /** It is somewhere else now, or another try to connect has failed; the error says why. */
  state: [ClientState, Error | undefined];
  message: [Message];
  receipt: [Receipt];
  presence: [PresenceEvent];
  /** Somebody calls. Without a handler: 480. */
  invite: [Dialog];
  /** A request of any other kind. Without a handler: 501. */
  request: [IncomingRequest];
  /** What no promise tells: a refresh that failed, a handler that threw. */
  error: [Error];
};

/** ms */
const CONNECT = 10_000;

/** One user, on one device, with one socket to the server. */
export class Client {
  readonly #options: CheckedOptions;
  readonly #emitter = new Emitter<ClientEvents>();
  readonly #stack: Stack;
  readonly #asker: Asker;
  readonly #registrar: Registrar;
  readonly #watched: Watched;
  readonly #messages: Messages;
  readonly #rooms: Rooms;
  readonly #history: History;
  #stopWaking: (() => void) | undefined;

  /** @throws TypeError if an option is wrong. */
  constructor(options: ClientOptions) {
    const checked = check(options);
    const onError = (error: Error) => void this.#tell("error", error);
    this.#options = checked;
    this.#stack = new Stack(checked, {
      onState: (state, cause) => this.#onState(state, cause),
      onRequest: (request) => this.#onRequest(request),
      onError,
    });
    this.#asker = new Asker(this.#stack, checked.user, checked.uri);
    this.#registrar = new Registrar(this.#asker, onError);
    this.#watched = new Watched(this.#asker, (news) => this.#tell("presence", news), onError);
    this.#messages = new Messages(
      this.#asker,
      {
        onMessage: (message) => this.#tell("message", message) === "taken",
        onReceipt: (receipt) => this.#tell("receipt", receipt),
      },
      checked,
    );
    this.#rooms = new Rooms(this.#asker, this.#messages, onError);
    this.#history = new History(checked.apiUrl, checked.fetch, this.#registrar, checked.timers);
  }

  /** Without the device. */
  get user(): string {
    return this.#options.user;
  }

  get device(): string | undefined {
    return this.#options.device;
  }

  /** `user`, or `user;device=DEVICE`. */
  get uri(): string {
    return this.#options.uri;
  }

  get state(): ClientState {
    return this.#stack.state;
  }

  /** Adds a handler. What is given back takes it off again. */
  on<Name extends keyof ClientEvents>(name: Name, handler: (...given: ClientEvents[Name]) => void): () => void {
    return this.#emitter.on(name, handler);
  }

  /**
   * Connects, and keeps connected until `close`. Resolves when the socket is up.
   * @throws TimeoutError if it is not within `timeout` ms (10 s; `Infinity` waits for ever). Then the client is closed.
   */
  connect({ timeout = CONNECT }: { timeout?: number } = {}): Promise<void> {
    if (this.state === "online") return Promise.resolve();
    return new Promise((resolve, reject) => {
      let late = false;
      const settle = (how: () => void) => {
        deadline.clear();
        off();
        how();
      };
      const deadline = new Timer(this.#options.timers, () => {
        late = true;
        void this.close();
      });
      const off = this.on("state", (state, cause) => {
        if (state === "online") settle(resolve);
        if (state === "closed") settle(() => reject(late ? new TimeoutError("no connection in time") : (cause ?? new ClosedError())));
      });
      deadline.set(timeout);
      this.#stopWaking ??= onWake(() => this.#stack.wake());
      this.#stack.open();
    });
  }

  /** Unregisters, leaves rooms, ends calls, and closes the socket. What is unfinished rejects with `ClosedError`. */
  close(): Promise<void> {
    if (this.state !== "closed") {
      this.#registrar.leave();
      this.#rooms.leave();
    }
    return this.#stack.close();
  }

  /** Does not wait any longer for the next try to connect. */
  retry(): void {
    this.#stack.retry();
  }

  /** Sends a request, and resolves to its final response if that is below 300. */
  request(method: Method, fields: RequestFields, { timeout }: { timeout?: number } = {}): Promise<Response> {
    return this.#asker.ask(method, fields, timeout);
  }

  /** Calls somebody. */
  invite(to: string, body?: unknown, { contentType, headers, expire = DEFAULT_EXPIRE }: InviteOptions = {}): Dialog {
    const fields = { ...headers, To: to, "Content-Type": contentType, Body: body, Expire: expire };
    return new Caller(this.#stack, this.#asker.make("INVITE", fields), (thrown) => this.#onThrown(thrown));
  }

  /** Makes this device known, and keeps it so until `unregister` or `close`. */
  register(options: RegisterOptions = {}): Promise<Registration> {
    return this.#registrar.register(options);
  }

  /** This device is away, though its socket may stay. */
  unregister(): Promise<void> {
    return this.#registrar.unregister();
  }

  /** Watches a user: `presence` events tell of the state at once and of each change. */
  subscribePresence(user: string): Promise<PresenceSubscription> {
    return this.#watched.subscribe(user);
  }

  /** Sends a message to a user. Those to one user arrive in order. */
  message(to: string, body: unknown, options: MessageOptions = {}): Promise<Sent> {
    return this.#messages.send({ To: to, Body: body }, options);
  }

  /** Tells a user that these messages of theirs have been read. */
  markRead(user: string, ids: readonly string[]): Promise<void> {
    return this.#messages.markRead(user, ids);
  }

  /** A chat room, such as `room:lobby@example.com`. */
  room(id: string): Room {
    return this.#rooms.room(id);
  }

  /** Stored messages of a conversation with a user or a room. */
  history(with_: string, page: PageOptions = {}): Promise<HistoryPage> {
    return this.#history.history(with_, page);
  }

  /** The user's conversations. */
  conversations(page: Omit<PageOptions, "after"> = {}): Promise<ConversationPage> {
    return this.#history.conversations(page);
  }

  #onState(state: ClientState, cause?: Error): void {
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

  #onRequest(request: IncomingRequest): void {
    if (request.method === "MESSAGE") {
      this.#messages.onRequest(request);
    } else if (request.method === "INVITE") {
      const call = new Callee(this.#stack, request, (thrown) => this.#onThrown(thrown));
      if (this.#tell("invite", call) === "nobody") call.reject(480);
    } else if (request.method !== "NOTIFY" || !this.#watched.onNotify(request)) {
      if (this.#tell("request", request) === "nobody") request.respond(501);
    }
  }

  /** Tells the handlers. `"thrown"`: one of them at least has not taken it. */
  #tell<Name extends keyof ClientEvents>(name: Name, ...given: ClientEvents[Name]): "taken" | "thrown" | "nobody" {
    const { handlers, thrown } = this.#emitter.emit(name, ...given);
    for (const error of thrown) this.#onThrown(error, name === "error");
    if (handlers === 0) return "nobody";
    return thrown.length > 0 ? "thrown" : "taken";
  }

  /** A handler's mistake: to the handlers of `error`, or else where all mistakes go that nobody catches. */
  #onThrown(thrown: unknown, isOfError = false): void {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    if (!isOfError && this.#emitter.emit("error", error).handlers > 0) return;
    queueMicrotask(() => {
      throw error;
    });
  }
}
