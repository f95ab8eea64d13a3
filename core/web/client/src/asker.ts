/** Requests outside of calls, as the parts of the client send them. */

import { randomId } from "./ids.js";
import type { Stack } from "./stack.js";
import type { Timers } from "./timers.js";
import type { Fields, Method, Request, Response } from "./wire.js";

/** Fields of a request: who is asked must be said, all else can be made. */
export type RequestFields = Fields & { To: string; "Request-URI"?: string; DialogueID?: string; CSeq?: number };

/** Makes and sends requests of one user. */
export class Asker {
  readonly timers: Timers;

  constructor(
    private readonly stack: Stack,
    /** Without the device. */
    readonly user: string,
    /** With the device. */
    readonly uri: string,
  ) {
    this.timers = stack.timers;
  }

  /** The request with what was not said. */
  make(method: Method, fields: RequestFields): Request {
    return {
      ...fields,
      Type: method,
      "Request-URI": fields["Request-URI"] ?? fields.To,
      From: fields.From ?? this.user,
      DialogueID: fields.DialogueID ?? randomId(),
      CSeq: fields.CSeq ?? this.stack.nextCSeq(),
    };
  }

  /** Sends one, and resolves to its final response below 300. */
  ask(method: Method, fields: RequestFields, timeout = this.stack.options.timeout): Promise<Response> {
    return this.stack.send(this.make(method, fields), { timeout });
  }
}
