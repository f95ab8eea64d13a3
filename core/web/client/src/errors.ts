/** What can go wrong, by whose doing. */

import type { Response } from "./wire.js";

/** What all errors of this library are. */
export class RtcdError extends Error {
  override name = "RtcdError";
}

/** A final response of 300 or more; or the client's own refusal, which has no `response`. */
export class RejectedError extends RtcdError {
  override name = "RejectedError";

  constructor(
    /** The `Code`, such as 486. */
    readonly code: number,
    /** Its `Reason`, or else its `Desc`. */
    readonly reason: string,
    /** The response; `undefined` if the client itself refused. */
    readonly response?: Response,
  ) {
    super(`${code} ${reason}`);
  }
}

/** No answer in time. What was asked may have been done all the same. */
export class TimeoutError extends RtcdError {
  override name = "TimeoutError";
}

/** The socket was lost, or could not be opened. The client tries again. */
export class ConnectionError extends RtcdError {
  override name = "ConnectionError";

  constructor(
    message: string,
    /** The close code of the WebSocket, if there was one. */
    readonly code?: number,
  ) {
    super(message);
  }
}

/** The client is closed, or was closed meanwhile. */
export class ClosedError extends RtcdError {
  override name = "ClosedError";

  constructor(
    message = "the client is closed",
    /** The close code of the WebSocket, if the server closed it. */
    readonly code?: number,
  ) {
    super(message);
  }
}

/** The same user and device has connected elsewhere; this client stays closed. */
export class ReplacedError extends ClosedError {
  override name = "ReplacedError";

  constructor() {
    super("replaced: this user and device has connected elsewhere", 4001);
  }
}

/** The HTTP side refuses, or cannot be reached. */
export class HttpError extends RtcdError {
  override name = "HttpError";

  constructor(
    /** The HTTP status; 0 if there was no answer. */
    readonly status: number,
    /** The `code` of the answer's envelope; -1 without one. */
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}
