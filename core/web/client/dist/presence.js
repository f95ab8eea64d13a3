/** Who of the others is there. */
import { Timer } from "./timers.js";
import { userOf } from "./wire.js";
/** Seconds; it is refreshed after half of what is granted. */
const EXPIRE = 300;
/** ms after which a refresh that failed is tried again. */
const AGAIN = 5_000;
/** All users who are watched. */
export class Watched {
    asker;
    onNews;
    onError;
    #watches = new Map();
    constructor(asker, onNews, onError) {
        this.asker = asker;
        this.onNews = onNews;
        this.onError = onError;
    }
    async subscribe(user) {
        const known = this.#watches.get(user);
        const watch = known ?? new Watch(user, this.asker, this.onError, () => this.#watches.delete(user));
        this.#watches.set(user, watch);
        try {
            await watch.ask();
        }
        catch (error) {
            if (known === undefined)
                watch.stop();
            throw error;
        }
        return watch;
    }
    /** A NOTIFY. `false`: it is about something else. */
    onNotify(request) {
        const { Event, From, Body, "Subscription-State": state } = request.fields;
        if (Event !== "presence")
            return false;
        // Also if nobody here wants to know: a refusal would end the subscription, and a page that was loaded anew may be about to refresh it.
        request.respond(200);
        const watch = this.#watches.get(userOf(From));
        if (watch === undefined)
            return true;
        if (typeof state === "string" && state.startsWith("terminated"))
            watch.onTerminated();
        if (watch.learn(Body))
            this.onNews({ user: watch.user, state: watch.state, devices: watch.devices });
        return true;
    }
    /** There is a new socket. */
    onOnline() {
        for (const watch of this.#watches.values())
            watch.again();
    }
    onClosed() {
        for (const watch of [...this.#watches.values()])
            watch.stop();
    }
}
class Watch {
    user;
    asker;
    onError;
    onStop;
    state = "away";
    devices = [];
    #refresh;
    #isStopped = false;
    constructor(user, asker, onError, onStop) {
        this.user = user;
        this.asker = asker;
        this.onError = onError;
        this.onStop = onStop;
        this.#refresh = new Timer(asker.timers, () => this.again());
    }
    async ask() {
        this.#refresh.clear();
        let response;
        try {
            response = await this.asker.ask("SUBSCRIBE", { To: this.user, Event: "presence", Expire: EXPIRE });
        }
        catch (error) {
            // Whoever asked: it is to go on.
            if (!this.#isStopped)
                this.#refresh.set(AGAIN);
            throw error;
        }
        const granted = typeof response.Expire === "number" && response.Expire > 0 ? response.Expire : EXPIRE;
        if (!this.#isStopped)
            this.#refresh.set((granted * 1000) / 2);
    }
    again() {
        this.ask().catch((error) => {
            if (!this.#isStopped)
                this.onError(error);
        });
    }
    /** The server has ended it, which was not asked for. */
    onTerminated() {
        if (!this.#isStopped)
            this.#refresh.set(AGAIN);
    }
    learn(body) {
        const news = body;
        const state = news?.state;
        if (state !== "online" && state !== "busy" && state !== "away")
            return false;
        this.state = state;
        this.devices = Array.isArray(news?.devices) ? news.devices : [];
        return true;
    }
    stop() {
        this.#isStopped = true;
        this.#refresh.clear();
        this.onStop();
    }
    async unsubscribe() {
        if (this.#isStopped)
            return;
        this.stop();
        await this.asker.ask("SUBSCRIBE", { To: this.user, Event: "presence", Expire: 0 });
    }
}
