/** Requests of the other side: each is shown once and answered once, however often it comes. */
import type { Journal } from "./journal.js";
import type { Timers } from "./timers.js";
import { type Fields, type Method, type Request } from "./wire.js";
/** A request of the other side. */
export interface IncomingRequest {
    readonly method: Method;
    /** The request, as on the wire. */
    readonly fields: Request;
    /** Whether it has its final response. */
    readonly isAnswered: boolean;
    /**
     * Answers. A code below 200 is provisional; one of 200 or above is final, and the last.
     * @returns `false` if it has its final response already: nothing is sent then.
     * @throws RejectedError 513 if the response is too large.
     */
    respond(code: number, fields?: Fields): boolean;
}
/** See the module. */
export declare class Served {
    #private;
    private readonly journal;
    constructor(journal: Journal, timers: Timers);
    /** A request has come. `undefined`: it came before, and nothing more is to be done. */
    take(fields: Request): IncomingRequest | undefined;
    /** The ACK of an INVITE's final response has come: that one has arrived. */
    acknowledged(dialogueId: string, cseq: number): void;
    /** Forgets all. */
    clear(): void;
}
