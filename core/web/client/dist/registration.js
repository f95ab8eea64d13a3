/** Keeps this device known to the server. */
import { Timer } from "./timers.js";
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
    asker;
    onError;
    #wanted;
    #granted;
    /** REGISTERs have numbers: that of the last one, and of the last one whose answer counts. */
    #last = 0;
    #grantedBy = 0;
    #renewing;
    #refresh;
    constructor(asker, onError) {
        this.asker = asker;
        this.onError = onError;
        this.#refresh = new Timer(asker.timers, () => this.#again());
    }
    /** The token that holds now. */
    get token() {
        return this.#granted?.token;
    }
    async register(options) {
        const before = this.#wanted;
        const wanted = { expire: EXPIRE, ...before, ...options };
        this.#wanted = wanted;
        try {
            return await this.#ask(wanted);
        }
        catch (error) {
            if (this.#wanted === wanted)
                this.#wanted = before;
            throw error;
        }
    }
    /** Asks for a new token; once for all who need one now. */
    async renew() {
        if (this.#wanted === undefined)
            return;
        this.#renewing ??= this.#ask(this.#wanted).finally(() => (this.#renewing = undefined));
        await this.#renewing;
    }
    async unregister() {
        if (this.#stop())
            await this.asker.ask("REGISTER", { ...this.#fields, Expire: 0 });
    }
    /** Says good-bye, if it is registered, and waits for nothing. */
    leave() {
        if (this.#stop())
            this.asker.ask("REGISTER", { ...this.#fields, Expire: 0 }).catch(() => { });
    }
    /** There is a new socket. */
    onOnline() {
        if (this.#wanted !== undefined)
            this.#again();
    }
    onClosed() {
        this.#stop();
    }
    get #fields() {
        return { To: this.asker.user };
    }
    #stop() {
        const was = this.#wanted !== undefined;
        this.#wanted = undefined;
        this.#granted = undefined;
        this.#last += 1;
        this.#grantedBy = this.#last;
        this.#refresh.clear();
        return was;
    }
    #again() {
        if (this.#wanted === undefined)
            return;
        this.#ask(this.#wanted).catch((error) => {
            if (this.#wanted !== undefined)
                this.onError(error);
        });
    }
    async #ask({ expire = EXPIRE, presence }) {
        this.#last += 1;
        const number = this.#last;
        this.#refresh.clear();
        let response;
        try {
            response = await this.asker.ask("REGISTER", { ...this.#fields, Expire: expire, Presence: presence });
        }
        catch (error) {
            // Whoever asked: what was granted before ends all the same. If nothing is wanted then, nothing is done.
            if (number === this.#last)
                this.#refresh.set(AGAIN);
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
function grantedBy(response, expire) {
    const { Expire, Token, "Token-Expire": tokenExpire } = response;
    return {
        expire: typeof Expire === "number" && Expire > 0 ? Expire : expire,
        token: typeof Token === "string" ? Token : undefined,
        tokenExpire: typeof tokenExpire === "number" && tokenExpire > 0 ? tokenExpire : undefined,
    };
}
