/** Keeps this device known to the server. */

import type { Asker } from "./asker.js";
import type { PresenceState } from "./presence.js";
import { Timer } from "./timers.js";
import type { Response } from "./wire.js";

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

/** ms after which a REGISTER that failed is tried again, if there is one to keep up. */
const AGAIN = 5_000;
/**
 * Seconds. Browsers let the timers of a tab that is not seen fire once a minute, so a refresh may be a minute late: 60 s + 60 s is
 * still in time.
 */
const EXPIRE = 150;
/** Part of the time after which it is refreshed. */
const REFRESH = 0.4;

/** See the module. */
export class Registrar {
  #wanted: RegisterOptions | undefined;
  #granted: Registration | undefined;
  /** REGISTERs have numbers: that of the last one, and of the last one whose answer counts. */
  #last = 0;
  #grantedBy = 0;
  #renewing: Promise<unknown> | undefined;
  readonly #refresh: Timer;

  constructor(
    private readonly asker: Asker,
    private readonly onError: (error: Error) => void,
  ) {
    this.#refresh = new Timer(asker.timers, () => this.#again());
  }

  /** The token that holds now. */
  get token(): string | undefined {
    return this.#granted?.token;
  }

  async register(options: RegisterOptions): Promise<Registration> {
    const before = this.#wanted;
    const wanted = { expire: EXPIRE, ...before, ...options };
    this.#wanted = wanted;
    try {
      return await this.#ask(wanted);
    } catch (error) {
      if (this.#wanted === wanted) this.#wanted = before;
      throw error;
    }
  }

  /** Asks for a new token; once for all who need one now. */
  async renew(): Promise<void> {
    if (this.#wanted === undefined) return;
    this.#renewing ??= this.#ask(this.#wanted).finally(() => (this.#renewing = undefined));
    await this.#renewing;
  }

  async unregister(): Promise<void> {
    if (this.#stop()) await this.asker.ask("REGISTER", { ...this.#fields, Expire: 0 });
  }

  /** Says good-bye, if it is registered, and waits for nothing. */
  leave(): void {
    if (this.#stop()) this.asker.ask("REGISTER", { ...this.#fields, Expire: 0 }).catch(() => {});
  }

  /** There is a new socket. */
  onOnline(): void {
    if (this.#wanted !== undefined) this.#again();
  }

  onClosed(): void {
    this.#stop();
  }

  get #fields(): { To: string } {
    return { To: this.asker.user };
  }

  #stop(): boolean {
    const was = this.#wanted !== undefined;
    this.#wanted = undefined;
    this.#granted = undefined;
    this.#last += 1;
    this.#grantedBy = this.#last;
    this.#refresh.clear();
    return was;
  }

  #again(): void {
    if (this.#wanted === undefined) return;
    this.#ask(this.#wanted).catch((error: Error) => {
      if (this.#wanted !== undefined) this.onError(error);
    });
  }

  async #ask({ expire = EXPIRE, presence }: RegisterOptions): Promise<Registration> {
    this.#last += 1;
    const number = this.#last;
    this.#refresh.clear();
    let response: Response;
    try {
      response = await this.asker.ask("REGISTER", { ...this.#fields, Expire: expire, Presence: presence });
    } catch (error) {
      // Whoever asked: what was granted before ends all the same. If nothing is wanted then, nothing is done.
      if (number === this.#last) this.#refresh.set(AGAIN);
      throw error;
    }
    const granted = grantedBy(response, expire);
    if (number > this.#grantedBy) {
      this.#grantedBy = number;
      this.#granted = granted;
    }
    if (number === this.#last) {
      this.#refresh.set(Math.min(granted.expire, granted.tokenExpire ?? Infinity) * 1000 * REFRESH);
    }
    return granted;
  }
}

function grantedBy(response: Response, expire: number): Registration {
  const { Expire, Token, "Token-Expire": tokenExpire } = response;
  return {
    expire: typeof Expire === "number" && Expire > 0 ? Expire : expire,
    token: typeof Token === "string" ? Token : undefined,
    tokenExpire: typeof tokenExpire === "number" && tokenExpire > 0 ? tokenExpire : undefined,
  };
}
