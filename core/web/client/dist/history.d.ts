/** What the server has stored, over its HTTP API `im.v1`. */
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
export type Fetch = (url: string, init: {
    headers: Record<string, string>;
    signal: AbortSignal;
}) => Promise<FetchResponse>;
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
/** See the module. */
export declare class History {
    #private;
    private readonly apiUrl;
    private readonly fetch;
    private readonly tokens;
    private readonly timers;
    constructor(apiUrl: string, fetch: Fetch, tokens: TokenSource, timers: Timers);
    history(with_: string, page: PageOptions): Promise<HistoryPage>;
    conversations(page: PageOptions): Promise<ConversationPage>;
}
