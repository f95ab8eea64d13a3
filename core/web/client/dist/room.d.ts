/** Chat rooms. */
import type { Asker } from "./asker.js";
import type { MessageOptions, Messages } from "./messages.js";
/** A chat room, as one of its members sees it. What others say comes as `message` events. */
export interface Room {
    /** Such as `room:lobby@example.com`. */
    readonly id: string;
    /** Whether the server has this device as a member, as far as is known. */
    readonly joined: boolean;
    /** Joins, or changes the nickname. The membership is refreshed by itself. */
    join(nickname: string): Promise<void>;
    leave(): Promise<void>;
    /** Says something to all other members. */
    send(body: unknown, options?: MessageOptions): Promise<{
        readonly id: string;
        readonly date: Date;
    }>;
}
/** All rooms of a client. */
export declare class Rooms {
    #private;
    private readonly asker;
    private readonly messages;
    private readonly onError;
    constructor(asker: Asker, messages: Messages, onError: (error: Error) => void);
    /** The same one for the same id, as long as it is joined. */
    room(id: string): Room;
    /** There is a new socket. */
    onOnline(): void;
    /** Says good-bye, and waits for nothing. */
    leave(): void;
    onClosed(): void;
}
