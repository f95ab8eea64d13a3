/** Who of the others is there. */

import type { Asker } from "./asker.js";
import type { IncomingRequest } from "./incoming.js";
import { Timer } from "./timers.js";
import { userOf, type Response } from "./wire.js";

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

/** Seconds; it is refreshed after half of what is granted. */
const EXPIRE = 300;
/** ms after which a refresh that failed is tried again. */
const AGAIN = 5_000;

/** All users who are watched. */
export class Watched {
  readonly #watches = new Map<string, Watch>();

  constructor(
    private readonly asker: Asker,
    private readonly onNews: (news: PresenceEvent) => void,
    private readonly onError: (error: Error) => void,
  ) {}

  async subscribe(user: string): Promise<PresenceSubscription> {
    const known = this.#watches.get(user);
    const watch = known ?? new Watch(user, this.asker, this.onError, () => this.#watches.delete(user));
    this.#watches.set(user, watch);
    try {
      await watch.ask();
    } catch (error) {
      if (known === undefined) watch.stop();
      throw error;
    }
    return watch;
  }

  /** A NOTIFY. `false`: it is about something else. */
  onNotify(request: IncomingRequest): boolean {
    const { Event, From, Body, "Subscription-State": state } = request.fields;
    if (Event !== "presence") return false;
    // Also if nobody here wants to know: a refusal would end the subscription, and a page that was loaded anew may be about to refresh it.
    request.respond(200);
    const watch = this.#watches.get(userOf(From));
    if (watch === undefined) return true;
    if (typeof state === "string" && state.startsWith("terminated")) watch.onTerminated();
    if (watch.learn(Body)) this.onNews({ user: watch.user, state: watch.state, devices: watch.devices });
    return true;
  }

  /** There is a new socket. */
  onOnline(): void {
    for (const watch of this.#watches.values()) watch.again();
  }

  onClosed(): void {
    for (const watch of [...this.#watches.values()]) watch.stop();
  }
}

class Watch implements PresenceSubscription {
  state: PresenceState = "away";
  devices: readonly DevicePresence[] = [];
  readonly #refresh: Timer;
  #isStopped = false;

  constructor(
    readonly user: string,
    private readonly asker: Asker,
    private readonly onError: (error: Error) => void,
    private readonly onStop: () => void,
  ) {
    this.#refresh = new Timer(asker.timers, () => this.again());
  }

  async ask(): Promise<void> {
    this.#refresh.clear();
    let response: Response;
    try {
      response = await this.asker.ask("SUBSCRIBE", { To: this.user, Event: "presence", Expire: EXPIRE });
    } catch (error) {
      // Whoever asked: it is to go on.
      if (!this.#isStopped) this.#refresh.set(AGAIN);
      throw error;
    }
    const granted = typeof response.Expire === "number" && response.Expire > 0 ? response.Expire : EXPIRE;
    if (!this.#isStopped) this.#refresh.set((granted * 1000) / 2);
  }

  again(): void {
    this.ask().catch((error: Error) => {
      if (!this.#isStopped) this.onError(error);
    });
  }

  /** The server has ended it, which was not asked for. */
  onTerminated(): void {
    if (!this.#isStopped) this.#refresh.set(AGAIN);
  }

  learn(body: unknown): boolean {
    const news = body as Partial<PresenceEvent> | null | undefined;
    const state = news?.state;
    if (state !== "online" && state !== "busy" && state !== "away") return false;
    this.state = state;
    this.devices = Array.isArray(news?.devices) ? news.devices : [];
    return true;
  }

  stop(): void {
    this.#isStopped = true;
    this.#refresh.clear();
    this.onStop();
  }

  async unsubscribe(): Promise<void> {
    if (this.#isStopped) return;
    this.stop();
    await this.asker.ask("SUBSCRIBE", { To: this.user, Event: "presence", Expire: 0 });
  }
}
