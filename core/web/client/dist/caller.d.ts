/**
 * The caller's half of a call.
 *
 * | state | event | does | next |
 * |---|---|---|---|
 * | calling, early | 101–199 | tells of it | early |
 * | calling, early | 200 | ACK | confirmed |
 * | calling, early | 300 or more | ACK | ended |
 * | calling, early | no answer in time | CANCEL | ended |
 * | calling, early | `hangUp` | CANCEL | same, cancelled |
 * | the same, cancelled | 200: it crossed the CANCEL | ACK, BYE | ended |
 * | the same, cancelled | 300 or more | ACK | ended |
 * | the same, cancelled | neither, in time | | ended |
 * | calling, early | BYE of the other side | 200 | ended |
 */
import { Call } from "./call.js";
import type { IncomingRequest } from "./incoming.js";
import type { Stack } from "./stack.js";
import type { Request } from "./wire.js";
/** See the module. */
export declare class Caller extends Call {
    #private;
    constructor(stack: Stack, invite: Request, onThrown: (thrown: unknown) => void);
    /** Nothing: this is the side that has asked. */
    progress(): void;
    accept(): void;
    reject(): void;
    protected giveUp(): Promise<void>;
    protected sayNo(): void;
    protected onCancel(request: IncomingRequest): void;
    protected onEnd(): void;
}
