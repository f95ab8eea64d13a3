/** Who of the others is there. */
import type { Asker } from "./asker.js";
import type { IncomingRequest } from "./incoming.js";
/** How a device is seen; a user is busy if one device is, else online if one is, else away. */
export type PresenceState = "online" | "busy" | "away";
/** One device of a user. */
export interface DevicePresence {
    /** `undefined` for the one without a name. */
    readonly device?: string;
    readonly state: PresenceState;
}
/** The news of a user. */
export interface PresenceEvent {
    readonly user: string;
    readonly state: PresenceState;
    readonly devices: readonly DevicePresence[];
}
/** A user who is watched. */
export interface PresenceSubscription extends PresenceEvent {
    /** No more `presence` events of this user. */
    unsubscribe(): Promise<void>;
}
/** All users who are watched. */
export declare class Watched {
    #private;
    private readonly asker;
    private readonly onNews;
    private readonly onError;
    constructor(asker: Asker, onNews: (news: PresenceEvent) => void, onError: (error: Error) => void);
    subscribe(user: string): Promise<PresenceSubscription>;
    /** A NOTIFY. `false`: it is about something else. */
    onNotify(request: IncomingRequest): boolean;
    /** There is a new socket. */
    onOnline(): void;
    onClosed(): void;
}
