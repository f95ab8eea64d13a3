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

import { Backoff, type BackoffOptions } from "./backoff.js";
import { ClosedError, ConnectionError, ReplacedError } from "./errors.js";
import { Timer, type Timers } from "./timers.js";

/** Where a client is. */
export type ClientState = "connecting" | "online" | "reconnecting" | "closed";

/** What the client needs of a WebSocket: the browsers' one and that of the package `ws` have it. */
export interface WebSocketLike {
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: unknown }) => void) | null;
  onerror: (() => void) | null;
  send(data: string): void;
  close(code?: number, reason?: string): void;
}

/** A class of such. */
export type WebSocketClass = new (url: string) => WebSocketLike;

/** What a transport is made of. */
export interface TransportOptions {
  url: string;
  WebSocket: WebSocketClass;
  backoff: BackoffOptions;
  random: () => number;
  timers: Timers;
}

/** Whom a transport tells. */
export interface TransportListener {
  /** It is somewhere else now; the error says why. */
  onState(state: ClientState, cause?: Error): void;
  /** A text frame has come. */
  onText(text: string): void;
}

/** `WebSocket.OPEN` in the field `readyState` is not asked: what counts is what the events say. */
const NORMAL = 1000;
const REPLACED = 4001;
/** A socket that was up for so long counts as a good one: after it the back-off begins anew. */
const STABLE = 10_000;
/** The other side has so long to answer a close. */
const CLOSING = 2_000;

/** See the module. */
export class Transport {
  #state: ClientState = "closed";
  #socket: WebSocketLike | undefined;
  #openedAt = 0;
  readonly #backoff: Backoff;
  readonly #wait: Timer;
  readonly #deadline: Timer;

  constructor(
    private readonly options: TransportOptions,
    private readonly listener: TransportListener,
  ) {
    this.#backoff = new Backoff(options.backoff, options.random);
    this.#wait = new Timer(options.timers, () => this.#connect());
    this.#deadline = new Timer(options.timers, () => this.giveUp("no connection in time"));
  }

  get state(): ClientState {
    return this.#state;
  }

  /** Connects, and keeps connected until `close`. */
  open(): void {
    if (this.#state !== "closed") return;
    this.#backoff.reset();
    this.#become("connecting");
    this.#connect();
  }

  /** Writes a frame. `false`: there is no socket, or it takes none. */
  send(text: string): boolean {
    if (this.#state !== "online" || this.#socket === undefined) return false;
    try {
      this.#socket.send(text);
      return true;
    } catch {
      this.giveUp("the socket takes nothing");
      return false;
    }
  }

  /** Does not wait any longer for the next try. */
  retry(): void {
    if (!this.#wait.isSet) return;
    this.#wait.clear();
    this.#connect();
  }

  /** Leaves the socket, whatever it says of itself, and connects again. */
  giveUp(why: string, code?: number): void {
    if (this.#state === "closed") return;
    this.#leave(NORMAL);
    if (this.#state === "online") {
      if (this.options.timers.now() - this.#openedAt >= STABLE) this.#backoff.reset();
    }
    this.#wait.set(this.#backoff.next());
    const cause = new ConnectionError(why, code);
    this.#become(this.#state === "connecting" ? "connecting" : "reconnecting", cause);
  }

  /** Closes for good. Resolves when the other side knows, or has had its time. */
  close(cause: Error = new ClosedError()): Promise<void> {
    this.#wait.clear();
    const closed = this.#leave(NORMAL);
    if (this.#state !== "closed") this.#become("closed", cause);
    return closed;
  }

  #connect(): void {
    let socket: WebSocketLike;
    this.#deadline.set(this.options.backoff.connect);
    try {
      socket = new this.options.WebSocket(this.options.url);
    } catch (error) {
      this.giveUp(`no socket: ${String(error)}`);
      return;
    }
    this.#socket = socket;
    const isCurrent = () => this.#socket === socket;
    socket.onopen = () => {
      if (!isCurrent()) return;
      this.#deadline.clear();
      this.#openedAt = this.options.timers.now();
      this.#become("online");
    };
    socket.onmessage = (event: { data: unknown }) => {
      if (isCurrent() && typeof event.data === "string") this.listener.onText(event.data);
    };
    // A close event follows each error.
    socket.onerror = () => {};
    socket.onclose = (event: { code: number; reason: unknown }) => {
      if (!isCurrent()) return;
      if (event.code === REPLACED) {
        void this.close(new ReplacedError());
      } else {
        const reason = String(event.reason ?? "");
        this.giveUp(reason === "" ? `the socket was lost (${event.code})` : reason, event.code);
      }
    };
  }

  /** What comes from the socket from now on is not heard. */
  #leave(code: number): Promise<void> {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#deadline.clear();
    if (socket === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      const late = new Timer(this.options.timers, resolve);
      socket.onclose = () => {
        late.clear();
        resolve();
      };
      late.set(CLOSING);
      try {
        socket.close(code);
      } catch {
        resolve();
      }
    });
  }

  #become(state: ClientState, cause?: Error): void {
    this.#state = state;
    this.listener.onState(state, cause);
  }
}
