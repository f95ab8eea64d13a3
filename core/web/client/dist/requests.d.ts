/** Requests of this side: one promise each, and exactly one outcome. */
import { type ClosedError } from "./errors.js";
import type { Journal } from "./journal.js";
import { type Timers } from "./timers.js";
import { type Request, type Response } from "./wire.js";
/** How one request is sent. */
export interface SendOptions {
    /** ms until it must have its final response; a provisional one gives it `extension` from then on. */
    timeout: number;
    /** Is given provisional responses (101–199), each once. */
    onProgress?: (response: Response) => void;
    /** Is given the final response before the promise is settled, whatever its code. */
    onFinal?: (response: Response) => void;
}
/** See the module. */
export declare class Requests {
    #private;
    private readonly journal;
    private readonly timers;
    private readonly maxPending;
    constructor(journal: Journal, timers: Timers, maxPending: number);
    /** How many have no final response. */
    get size(): number;
    /** Sends a request. Resolves to its final response below 300; else rejects. */
    send(request: Request, options: SendOptions): Promise<Response>;
    /** A response has come. `false`: it belongs to no open request. */
    settle(response: Response, text: string): boolean;
    /** Rejects all. */
    close(error: ClosedError): void;
}
