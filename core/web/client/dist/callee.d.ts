/**
 * The called one's half of a call.
 *
 * | state | event | does | next |
 * |---|---|---|---|
 * | calling, early | `progress` | 101–199 | early |
 * | calling, early | `accept` | 200 | answered |
 * | calling, early | `reject`, `hangUp` | 486, 603 | ended |
 * | calling, early | CANCEL or BYE | 200 to it, 487 to the INVITE | ended |
 * | calling, early | neither, in time | 480 | ended |
 * | answered | ACK | | confirmed |
 * | answered | no ACK in time | BYE | ended |
 */
import { Call } from "./call.js";
import type { IncomingRequest } from "./incoming.js";
import type { Stack } from "./stack.js";
import { type Fields, type Request } from "./wire.js";
/** See the module. */
export declare class Callee extends Call {
    #private;
    private readonly invite;
    constructor(stack: Stack, invite: IncomingRequest, onThrown: (thrown: unknown) => void);
    progress(code?: number, body?: unknown, fields?: Fields): void;
    accept(body?: unknown, fields?: Fields): void;
    reject(code?: number, reason?: string): void;
    onAck(cseq: number): void;
    protected giveUp(): Promise<void>;
    protected sayNo(): void;
    protected onCancel(request: IncomingRequest): void;
    protected onBye(bye: Request): void;
    protected onEnd(): void;
}
