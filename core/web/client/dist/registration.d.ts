/** Keeps this device known to the server. */
import type { Asker } from "./asker.js";
import type { PresenceState } from "./presence.js";
/** What is said to the server. */
export interface RegisterOptions {
    /** Seconds that a registration lasts if it is not refreshed; 150 if nothing was ever said. */
    expire?: number;
    /** How this device wants to be seen; `"online"` if nothing was ever said. */
    presence?: PresenceState;
}
/** What the server has granted. */
export interface Registration {
    /** Seconds. It is refreshed by itself. */
    readonly expire: number;
    /** For the HTTP APIs; `undefined` if the server gives none. */
    readonly token: string | undefined;
    /** Seconds from the answer on. */
    readonly tokenExpire: number | undefined;
}
/** See the module. */
export declare class Registrar {
    #private;
    private readonly asker;
    private readonly onError;
    constructor(asker: Asker, onError: (error: Error) => void);
    /** The token that holds now. */
    get token(): string | undefined;
    register(options: RegisterOptions): Promise<Registration>;
    /** Asks for a new token; once for all who need one now. */
    renew(): Promise<void>;
    unregister(): Promise<void>;
    /** Says good-bye, if it is registered, and waits for nothing. */
    leave(): void;
    /** There is a new socket. */
    onOnline(): void;
    onClosed(): void;
}
