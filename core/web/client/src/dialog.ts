/** A call, as its user sees it. */

import type { IncomingRequest } from "./incoming.js";
import type { Fields, Method, Request, Response } from "./wire.js";

/**
 * Where a call is.
 *
 * | state | caller | called one |
 * |---|---|---|
 * | calling | has sent the INVITE | has it |
 * | early | has had a 101–199 | has sent one |
 * | answered | | has accepted, and waits for the ACK |
 * | confirmed | has the 200, and has sent the ACK | has the ACK |
 * | ended | | |
 */
export type DialogState = "calling" | "early" | "answered" | "confirmed" | "ended";

/** How a call ended. */
export interface DialogEnd {
  /** This side; the other side or the server; or the library: the client was closed, the server does not know the call any more, or time was over. */
  by: "self" | "peer" | "client";
  /** In words. */
  reason: string;
}

/** What a call tells its handlers. */
export type DialogEvents = {
  /** A provisional response (101–199), such as 180 Ringing. */
  progress: [Response];
  /** An INFO or re-INVITE of the other side, to be answered. Without a handler: 501, or 488. */
  request: [IncomingRequest];
  /** It is over. */
  end: [DialogEnd];
};

/** More about an INVITE. */
export interface InviteOptions {
  /** Its `Content-Type`. */
  contentType?: string;
  /** More fields, by their names on the wire. */
  headers?: Fields;
  /** Seconds after which the call ends if neither side can be heard; default 600. */
  expire?: number;
}

/** A call with another user. */
export interface Dialog {
  /** Its `DialogueID`. */
  readonly id: string;
  /** The other user. */
  readonly peer: string;
  /** `"out"` for the caller. */
  readonly direction: "out" | "in";
  readonly state: DialogState;
  /** The body of the INVITE. */
  readonly body: unknown;
  /** The INVITE, as on the wire. */
  readonly fields: Request;
  /** The 200: the one that came, or that was sent. Rejects with `RejectedError`, `TimeoutError` or `ClosedError`. */
  readonly answered: Promise<Response>;
  /** Never rejects. */
  readonly ended: Promise<DialogEnd>;
  on<Name extends keyof DialogEvents>(name: Name, handler: (...given: DialogEvents[Name]) => void): () => void;
  /** Called one: sends a provisional response, 180 if nothing is said. Nothing happens if it is too late. */
  progress(code?: number, body?: unknown, fields?: Fields): void;
  /** Called one: takes the call. Nothing happens if it is too late. */
  accept(body?: unknown, fields?: Fields): void;
  /** Called one: refuses, with 486 Busy Here if nothing is said. Nothing happens if it is too late. */
  reject(code?: number, reason?: string): void;
  /** Ends the call, whatever its state. Resolves when it is over on the wire, or its time is. */
  hangUp(): Promise<void>;
  /** Changes the call by a new INVITE. */
  reinvite(body: unknown, fields?: Fields): Promise<Response>;
  /** Sends an INFO. */
  info(body: unknown, options?: { contentType?: string }): Promise<Response>;
  /** Sends any other request within the call, such as UPDATE. */
  request(method: Method, fields?: Fields): Promise<Response>;
}
