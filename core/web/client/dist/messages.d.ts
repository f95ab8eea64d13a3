/** Messages between users and in rooms, and their receipts. */
import type { Asker, RequestFields } from "./asker.js";
import type { IncomingRequest } from "./incoming.js";
import { type Request } from "./wire.js";
/** A message that has come. */
export interface Message {
    /** Its `Message-ID`. Handlers are given each once, whatever is sent again. */
    readonly id: string;
    /** A user; in a room, the nickname of its sender. */
    readonly from: string;
    /** A user or a room. */
    readonly to: string;
    /** With whom one talks here: the other user, or the room. */
    readonly conversation: string;
    /** The room, if it is of one. */
    readonly room: string | undefined;
    /** The user who sent it, in a room too. */
    readonly sender: string;
    /** This user has sent it, from another device. */
    readonly own: boolean;
    /** When the server accepted it. */
    readonly date: Date;
    readonly contentType: string | undefined;
    /** Any JSON value. */
    readonly body: unknown;
    /** The request, as on the wire. */
    readonly fields: Request;
}
/** What has become of messages that this user sent; or, if it is `own`, got. */
export interface Receipt {
    /** The user who got them. */
    readonly from: string;
    /** With whom one talks there: the other user. */
    readonly conversation: string;
    /** This user has read them, on another device. */
    readonly own: boolean;
    /** Ids of those that were stored first, and have been delivered. */
    readonly delivered: readonly string[];
    /** Ids of those that have been read. */
    readonly read: readonly string[];
}
/** More about a message. */
export interface MessageOptions {
    contentType?: string;
    /** At most 64 characters. Take the same one to send a message again. */
    id?: string;
    /** ms until it must be accepted; the client's `timeout` if nothing is said. */
    timeout?: number;
}
/** A message that the server has accepted. */
export interface Sent {
    readonly id: string;
    /** When it was accepted. */
    readonly date: Date;
    /** A device of the receiver has it, or the server keeps it until one is there. */
    readonly status: "delivered" | "stored";
}
/** Whom the messages are told. `false`: nobody has taken it. */
export interface MessageListener {
    onMessage(message: Message): boolean;
    onReceipt(receipt: Receipt): void;
}
/** See the module. */
export declare class Messages {
    #private;
    private readonly asker;
    private readonly listener;
    private readonly limits;
    constructor(asker: Asker, listener: MessageListener, limits: {
        timeout: number;
        maxPending: number;
    });
    send(fields: RequestFields, { contentType, id, timeout }: MessageOptions): Promise<Sent>;
    markRead(user: string, ids: readonly string[]): Promise<void>;
    /** A MESSAGE has come. */
    onRequest(request: IncomingRequest): void;
}
