/** What the server has stored, over its HTTP API `im.v1`. */

import { HttpError } from "./errors.js";
import type { Timers } from "./timers.js";

/** A stored message. */
export interface StoredMessage {
  /** Its place in the conversation; a cursor. */
  readonly seq: number;
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly date: Date;
  readonly contentType: string | undefined;
  readonly body: unknown;
  readonly state: "sent" | "delivered" | "read";
}

/** Which part of a history: `before` or `after` a cursor, or else the latest. */
export interface PageOptions {
  before?: number;
  after?: number;
  /** How many at most. */
  limit?: number;
}

/** A part of a history. */
export interface HistoryPage {
  /** Oldest first. */
  readonly messages: readonly StoredMessage[];
  /** The cursor of the next page, or `null` at the end. */
  readonly next: number | null;
}

/** A conversation in short. */
export interface Conversation {
  /** The other user, or the room. */
  readonly with: string;
  readonly last: StoredMessage;
  readonly unread: number;
}

/** A part of the list of conversations. */
export interface ConversationPage {
  /** Latest first. */
  readonly conversations: readonly Conversation[];
  /** The cursor of the next page, as `before`; or `null` at the end. */
  readonly next: number | null;
}

/** What the client needs of `fetch`. */
export type Fetch = (url: string, init: { headers: Record<string, string>; signal: AbortSignal }) => Promise<FetchResponse>;

/** And of what it gives. */
export interface FetchResponse {
  readonly status: number;
  json(): Promise<unknown>;
}

/** Where the token comes from. */
export interface TokenSource {
  readonly token: string | undefined;
  renew(): Promise<void>;
}

/** ms for one answer. */
const TIMEOUT = 10_000;

/** See the module. */
export class History {
  constructor(
    private readonly apiUrl: string,
    private readonly fetch: Fetch,
    private readonly tokens: TokenSource,
    private readonly timers: Timers,
  ) {}

  async history(with_: string, page: PageOptions): Promise<HistoryPage> {
    const answer = await this.#call(`history/${encodeURIComponent(with_)}`, page);
    const messages = array(answer.messages).map(readMessage);
    return { messages: messages.sort((a, b) => a.seq - b.seq), next: cursor(answer.next) };
  }

  async conversations(page: PageOptions): Promise<ConversationPage> {
    const answer = await this.#call("conversations", page);
    const conversations = array(answer.conversations).map((one) => {
      const { with: with_, last, unread } = one as { with: string; last: unknown; unread?: number };
      return { with: with_, last: readMessage(last), unread: unread ?? 0 };
    });
    return { conversations, next: cursor(answer.next) };
  }

  /** With one more try, if the token is not good any more. */
  async #call(path: string, page: PageOptions): Promise<Record<string, unknown>> {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(page)) if (value !== undefined) query.set(name, String(value));
    const asked = String(query); // `size` is too new for some browsers
    const url = `${this.apiUrl}/im/v1/${path}${asked === "" ? "" : `?${asked}`}`;
    try {
      return await this.#get(url);
    } catch (error) {
      if (!(error instanceof HttpError && error.status === 401)) throw error;
      await this.tokens.renew();
      return this.#get(url);
    }
  }

  async #get(url: string): Promise<Record<string, unknown>> {
    const { token } = this.tokens;
    if (token === undefined) throw new HttpError(401, 7, "not registered");
    const abort = new AbortController();
    const deadline = this.timers.setTimeout(() => abort.abort(), TIMEOUT);
    let status = 0;
    let answer: Record<string, unknown>;
    try {
      const response = await this.fetch(url, { headers: { Authorization: `Bearer ${token}`, Accept: "application/json" }, signal: abort.signal });
      status = response.status;
      answer = ((await response.json()) ?? {}) as Record<string, unknown>;
    } catch (error) {
      throw new HttpError(status, -1, abort.signal.aborted ? "no answer in time" : String(error));
    } finally {
      this.timers.clearTimeout(deadline);
    }
    if (status >= 200 && status < 300) return answer;
    const { code, msg } = answer;
    throw new HttpError(status, typeof code === "number" ? code : -1, typeof msg === "string" ? msg : `HTTP status ${status}`);
  }
}

function array(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function cursor(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}

function readMessage(value: unknown): StoredMessage {
  const { date, content_type, ...rest } = value as Record<string, unknown>;
  return { ...rest, date: new Date(date as string | number), contentType: content_type ?? undefined } as StoredMessage;
}
