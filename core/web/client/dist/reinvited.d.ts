/** The other side's re-INVITE: while its ACK is under way a new INVITE would be refused with 491. */
import type { IncomingRequest } from "./incoming.js";
import { type Timers } from "./timers.js";
/** The last re-INVITE of the other side. */
export declare class Reinvited {
    #private;
    constructor(timers: Timers);
    /** It has come. */
    came(request: IncomingRequest): void;
    /** An ACK has come. */
    acknowledged(cseq: number): void;
    /** Nobody has to wait. */
    over(): void;
    /** Resolves at once, or else when the ACK of what was answered is there. */
    settled(): Promise<void>;
}
