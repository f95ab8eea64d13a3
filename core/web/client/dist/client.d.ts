/** The client, as its users see it. */
import { type RequestFields } from "./asker.js";
import type { Dialog, InviteOptions } from "./dialog.js";
import { type ConversationPage, type HistoryPage, type PageOptions } from "./history.js";
import type { IncomingRequest } from "./incoming.js";
import { type Message, type MessageOptions, type Receipt, type Sent } from "./messages.js";
import { type ClientOptions } from "./options.js";
import { type PresenceEvent, type PresenceSubscription } from "./presence.js";
import { type RegisterOptions, type Registration } from "./registration.js";
import { type Room } from "./room.js";
import type { ClientState } from "./transport.js";
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
/** One user, on one device, with one socket to the server. */
export declare class Client {
    #private;
    /** @throws TypeError if an option is wrong. */
    constructor(options: ClientOptions);
    /** Without the device. */
    get user(): string;
    get device(): string | undefined;
    /** `user`, or `user;device=DEVICE`. */
    get uri(): string;
    get state(): ClientState;
    /** Adds a handler. What is given back takes it off again. */
    on<Name extends keyof ClientEvents>(name: Name, handler: (...given: ClientEvents[Name]) => void): () => void;
    /**
     * Connects, and keeps connected until `close`. Resolves when the socket is up.
     * @throws TimeoutError if it is not within `timeout` ms (10 s; `Infinity` waits for ever). Then the client is closed.
     */
    connect({ timeout }?: {
        timeout?: number;
    }): Promise<void>;
    /** Unregisters, leaves rooms, ends calls, and closes the socket. What is unfinished rejects with `ClosedError`. */
    close(): Promise<void>;
    /** Does not wait any longer for the next try to connect. */
    retry(): void;
    /** Sends a request, and resolves to its final response if that is below 300. */
    request(method: Method, fields: RequestFields, { timeout }?: {
        timeout?: number;
    }): Promise<Response>;
    /** Calls somebody. */
    invite(to: string, body?: unknown, { contentType, headers, expire }?: InviteOptions): Dialog;
    /** Makes this device known, and keeps it so until `unregister` or `close`. */
    register(options?: RegisterOptions): Promise<Registration>;
    /** This device is away, though its socket may stay. */
    unregister(): Promise<void>;
    /** Watches a user: `presence` events tell of the state at once and of each change. */
    subscribePresence(user: string): Promise<PresenceSubscription>;
    /** Sends a message to a user. Those to one user arrive in order. */
    message(to: string, body: unknown, options?: MessageOptions): Promise<Sent>;
    /** Tells a user that these messages of theirs have been read. */
    markRead(user: string, ids: readonly string[]): Promise<void>;
    /** A chat room, such as `room:lobby@example.com`. */
    room(id: string): Room;
    /** Stored messages of a conversation with a user or a room. */
    history(with_: string, page?: PageOptions): Promise<HistoryPage>;
    /** The user's conversations. */
    conversations(page?: Omit<PageOptions, "after">): Promise<ConversationPage>;
}
