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
/** See the module. */
export declare class Journal {
    #private;
    /** Writes a frame; `false` if there is no socket. */
    private readonly write;
    private readonly timers;
    /** Bytes of the largest frame that the server takes: for a larger one it would close each socket anew. */
    private readonly maxMessageSize;
    constructor(
    /** Writes a frame; `false` if there is no socket. */
    write: (text: string) => boolean, timers: Timers, 
    /** Bytes of the largest frame that the server takes: for a larger one it would close each socket anew. */
    maxMessageSize: number);
    /**
     * Writes a frame now, if there is a socket, and on later ones.
     * @throws RejectedError 513 if it is too large.
     */
    send(kind: Kind, text: string): Entry;
    /** It need not go again. */
    forget(entry: Entry): void;
    /** It is asked for again. */
    repeat(entry: Entry): void;
    /** There is a new socket. */
    resend(): void;
    /** Forgets all. */
    clear(): void;
}
