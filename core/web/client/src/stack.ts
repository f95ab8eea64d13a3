/** Joins the parts of the protocol: what comes goes where it belongs, what leaves survives the socket. */

import { ClosedError, RtcdError } from "./errors.js";
import { Served, type IncomingRequest } from "./incoming.js";
import { Journal, type Entry } from "./journal.js";
import { Liveness, type LivenessOptions } from "./liveness.js";
import { Memory } from "./memory.js";
import { Requests, type SendOptions } from "./requests.js";
import type { Timers } from "./timers.js";
import { Transport, type ClientState, type TransportOptions } from "./transport.js";
import { ackOf, decode, isResponse, transactionKey, type Fields, type Method, type Request, type Response } from "./wire.js";

/** What a stack is made of. */
export interface StackOptions extends TransportOptions, LivenessOptions {
  /** Who this is, without the device. */
  user: string;
  /** ms for the answer to a request. */
  timeout: number;
  maxPending: number;
  maxMessageSize: number;
}

/** Whom a stack tells. */
export interface StackListener {
  onState(state: ClientState, cause?: Error): void;
  /** A request that belongs to no dialog at hand. */
  onRequest(request: IncomingRequest): void;
  /** What no promise tells. */
  onError(error: Error): void;
}

/** A dialog, as the stack sees it. */
export interface Party {
  onRequest(request: IncomingRequest): void;
  /** The ACK for the INVITE with this CSeq. */
  onAck(cseq: number): void;
  /** There is a new socket. */
  onOnline(): void;
  /** The client is closed. `say` is false if nobody would hear a farewell. */
  onClosed(error: ClosedError, say: boolean): void;
}

/** They belong to a session, and are nothing without one. */
const WITHIN: ReadonlySet<Method> = new Set<Method>(["BYE", "CANCEL", "INFO", "UPDATE", "PRACK"]);

/** See the module. */
export class Stack {
  readonly timers: Timers;
  readonly #transport: Transport;
  readonly #liveness: Liveness;
  readonly #journal: Journal;
  readonly #requests: Requests;
  readonly #served: Served;
  /** The ACKs by what they acknowledge: that may come again. */
  readonly #acks: Memory<Entry>;
  readonly #parties = new Map<string, Party>();
  #cseq = 0;

  constructor(
    readonly options: StackOptions,
    private readonly listener: StackListener,
  ) {
    this.timers = options.timers;
    this.#transport = new Transport(options, {
      onState: (state, cause) => this.#onState(state, cause),
      onText: (text) => this.#onText(text),
    });
    this.#liveness = new Liveness(
      options,
      this.timers,
      () => this.#transport.giveUp(`nothing was heard for ${options.silence} ms`),
      () => this.#ask(),
    );
    this.#journal = new Journal((text) => this.#transport.send(text), this.timers, options.maxMessageSize);
    this.#requests = new Requests(this.#journal, this.timers, options.maxPending);
    this.#served = new Served(this.#journal, this.timers);
    this.#acks = new Memory(this.timers, 256, 300_000);
  }

  get state(): ClientState {
    return this.#transport.state;
  }

  open(): void {
    this.#transport.open();
  }

  retry(): void {
    this.#transport.retry();
  }

  /** The network or the machine may have slept: connects now, or finds out whether the socket has outlived it. */
  wake(): void {
    if (this.state === "online") this.#ask();
    else this.#transport.retry();
  }

  close(): Promise<void> {
    const error = new ClosedError();
    for (const party of [...this.#parties.values()]) party.onClosed(error, true);
    return this.#transport.close(error);
  }

  /** The next number that this side has not used. */
  nextCSeq(): number {
    this.#cseq += 1;
    return this.#cseq;
  }

  /** Sends a request; see `Requests.send`. */
  send(request: Request, options: SendOptions): Promise<Response> {
    if (this.state === "closed") return Promise.reject(new ClosedError());
    const response = this.#requests.send(request, options);
    // An INVITE may ring for long; to all else the server itself answers, if nobody does.
    if (request.Type !== "INVITE" && this.state === "online") this.#liveness.asked();
    return response;
  }

  /** Sends a request that nobody waits for, whatever becomes of it. */
  tell(request: Request, timeout: number): void {
    this.send(request, { timeout }).catch(() => {});
  }

  /** Acknowledges the final response to an INVITE. */
  ack(response: Response, fields: Fields = {}): void {
    const ack: Request = { ...fields, ...ackOf(response, this.nextCSeq()) };
    this.#acks.set(transactionKey(response), this.#journal.send("ack", JSON.stringify(ack)));
  }

  /** From now on requests of this dialog go there. */
  join(dialogueId: string, party: Party): void {
    this.#parties.set(dialogueId, party);
  }

  /** The dialog is over. */
  leave(dialogueId: string): void {
    this.#parties.delete(dialogueId);
  }

  #ask(): void {
    const { user } = this.options;
    const options: Request = {
      Type: "OPTIONS", "Request-URI": user, From: user, To: user, DialogueID: `alive-${this.nextCSeq()}`, CSeq: this.nextCSeq(),
    };
    this.tell(options, this.options.silence);
  }

  #onState(state: ClientState, cause?: Error): void {
    if (state === "online") {
      this.#liveness.start();
      this.#journal.resend();
      if (this.#requests.size > 0) this.#liveness.asked();
    } else {
      this.#liveness.stop();
    }
    this.listener.onState(state, cause);
    if (state === "online") for (const party of [...this.#parties.values()]) party.onOnline();
    if (state === "closed") this.#end(cause instanceof ClosedError ? cause : new ClosedError());
  }

  #end(error: ClosedError): void {
    for (const party of [...this.#parties.values()]) party.onClosed(error, false);
    this.#parties.clear();
    this.#requests.close(error);
    this.#journal.clear();
    this.#served.clear();
    this.#acks.clear();
  }

  #onText(text: string): void {
    this.#liveness.heard();
    const message = decode(text);
    if (typeof message === "string") {
      this.listener.onError(new RtcdError(`a frame of the server is bad: ${message}`));
    } else if (isResponse(message)) {
      if (this.#requests.settle(message, text) || message.Code < 200) return;
      const ack = this.#acks.get(transactionKey(message));
      if (ack !== undefined) this.#journal.repeat(ack);
    } else if (message.Type === "ACK") {
      const invite = message.RelatedID ?? message.CSeq;
      this.#served.acknowledged(message.DialogueID, invite);
      this.#parties.get(message.DialogueID)?.onAck(invite);
    } else {
      this.#onRequest(message);
    }
  }

  #onRequest(message: Request): void {
    const request = this.#served.take(message);
    if (request === undefined) return;
    const party = this.#parties.get(message.DialogueID);
    const isWithin = WITHIN.has(message.Type);
    if (party !== undefined && (isWithin || message.Type === "INVITE")) party.onRequest(request);
    else if (isWithin) request.respond(481);
    else this.listener.onRequest(request);
  }
}
