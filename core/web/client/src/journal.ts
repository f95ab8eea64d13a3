/**
 * What goes again on a new socket, in the order in which it went first:
 *
 * | frame | is kept |
 * |---|---|
 * | request | until its final response |
 * | ACK | 32 s from when it was written |
 * | final response | the same; that of an INVITE until its ACK, or 120 s |
 * | provisional response | until it is written |
 *
 * What was not written at all is kept for 120 s, whatever it is: then the server has given it up.
 */

import { RejectedError } from "./errors.js";
import type { Timers } from "./timers.js";

/** Kinds of frames, by how long they are kept. */
export type Kind = "request" | "ack" | "final" | "invite-final" | "provisional";

/** One frame. */
export interface Entry {
  readonly kind: Kind;
  readonly text: string;
  /** When it was made. */
  readonly madeAt: number;
  /** When it was written last. */
  writtenAt: number | undefined;
}

/** As long as the server knows a finished transaction (`jsip.linger`). */
const LINGER = 32_000;
/** As long as the server keeps an answer for somebody who is away, or waits for one to an INVITE. */
const AWAY = 120_000;
/** Answers and ACKs; the oldest go first. As many as the server keeps (`linger_max`). */
const MOST = 256;

/** See the module. */
export class Journal {
  readonly #entries = new Set<Entry>();
  readonly #recent = new Set<Entry>();

  constructor(
    /** Writes a frame; `false` if there is no socket. */
    private readonly write: (text: string) => boolean,
    private readonly timers: Timers,
    /** Bytes of the largest frame that the server takes: for a larger one it would close each socket anew. */
    private readonly maxMessageSize: number,
  ) {}

  /**
   * Writes a frame now, if there is a socket, and on later ones.
   * @throws RejectedError 513 if it is too large.
   */
  send(kind: Kind, text: string): Entry {
    if (!fits(text, this.maxMessageSize)) throw new RejectedError(513, "Message Too Large");
    const entry: Entry = { kind, text, madeAt: this.timers.now(), writtenAt: undefined };
    this.#entries.add(entry);
    if (kind !== "request") this.#bound(entry);
    this.#write(entry);
    return entry;
  }

  /** It need not go again. */
  forget(entry: Entry): void {
    this.#entries.delete(entry);
    this.#recent.delete(entry);
  }

  /** It is asked for again. */
  repeat(entry: Entry): void {
    this.write(entry.text);
  }

  /** There is a new socket. */
  resend(): void {
    for (const entry of [...this.#entries]) {
      if (this.#isOver(entry)) this.forget(entry);
      else if (!this.#write(entry)) return;
    }
  }

  /** Forgets all. */
  clear(): void {
    this.#entries.clear();
    this.#recent.clear();
  }

  #write(entry: Entry): boolean {
    if (!this.write(entry.text)) return false;
    entry.writtenAt ??= this.timers.now();
    if (entry.kind === "provisional") this.forget(entry);
    return true;
  }

  #isOver({ kind, madeAt, writtenAt }: Entry): boolean {
    if (kind === "request") return false; // its own deadline ends it
    const now = this.timers.now();
    if (kind === "invite-final" || writtenAt === undefined) return now - madeAt >= AWAY;
    return now - writtenAt >= LINGER;
  }

  #bound(entry: Entry): void {
    this.#recent.add(entry);
    if (this.#recent.size <= MOST) return;
    const [oldest] = this.#recent;
    if (oldest !== undefined) this.forget(oldest);
  }
}

/** A UTF-16 unit is at most three bytes, so most texts need not be encoded to know. */
function fits(text: string, size: number): boolean {
  return text.length * 3 <= size || new TextEncoder().encode(text).length <= size;
}
