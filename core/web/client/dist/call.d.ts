/** What both sides of a call have in common. */
import { ClosedError } from "./errors.js";
import type { Dialog, DialogEnd, DialogEvents, DialogState } from "./dialog.js";
import type { IncomingRequest } from "./incoming.js";
import { Session } from "./session.js";
import type { Party, Stack } from "./stack.js";
import { type Fields, type Method, type Request, type Response } from "./wire.js";
/** A session that has no `Expire` lasts so long, in seconds (`jsip.sessiontimer`). */
export declare const DEFAULT_EXPIRE = 600;
/** ms for the answer to a re-INVITE, or to a first INVITE without any progress: the server gives up a little before. */
export declare const INVITE_TIMEOUT = 125000;
/** ms for the answer to a BYE or CANCEL, offline time included. */
export declare const ENDING_TIMEOUT = 32000;
/** Half of a call; the sub-classes know how it begins. */
export declare abstract class Call implements Dialog, Party {
    #private;
    protected readonly stack: Stack;
    readonly fields: Request;
    readonly direction: "out" | "in";
    private readonly onThrown;
    readonly answered: Promise<Response>;
    readonly ended: Promise<DialogEnd>;
    protected current: DialogState;
    protected readonly session: Session;
    protected resolveAnswered: (response: Response) => void;
    protected rejectAnswered: (error: Error) => void;
    constructor(stack: Stack, fields: Request, direction: "out" | "in", onThrown: (thrown: unknown) => void);
    get id(): string;
    get peer(): string;
    get state(): DialogState;
    get body(): unknown;
    on<Name extends keyof DialogEvents>(name: Name, handler: (...given: DialogEvents[Name]) => void): () => void;
    abstract progress(code?: number, body?: unknown, fields?: Fields): void;
    abstract accept(body?: unknown, fields?: Fields): void;
    abstract reject(code?: number, reason?: string): void;
    hangUp(): Promise<void>;
    reinvite(body: unknown, fields?: Fields): Promise<Response>;
    info(body: unknown, { contentType }?: {
        contentType?: string;
    }): Promise<Response>;
    request(method: Method, fields?: Fields): Promise<Response>;
    onRequest(request: IncomingRequest): void;
    onAck(cseq: number): void;
    onOnline(): void;
    onClosed(error: ClosedError, say: boolean): void;
    /** Whether there is a session: a BYE ends it. */
    protected get isUp(): boolean;
    /** Hangs up while it is not up. */
    protected abstract giveUp(): Promise<void>;
    /** The same, without waiting for anything. */
    protected abstract sayNo(): void;
    protected abstract onCancel(request: IncomingRequest): void;
    protected onBye(bye: Request): void;
    /** A later request of this dialog. */
    protected follow(method: Method, fields?: Fields): Request;
    /** The end, whatever was before. Only the first one counts. */
    protected end(end: DialogEnd): void;
    /** Stops what the sub-class has running. */
    protected abstract onEnd(): void;
    /** The other side, or its server, refused. */
    protected refused(error: unknown): void;
    /** Tells handlers; gives their number. */
    protected emit<Name extends keyof DialogEvents>(name: Name, ...given: DialogEvents[Name]): number;
}
