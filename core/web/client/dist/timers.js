/** Time, as tests can replace it. */
/** The time that everybody has. */
export const systemTimers = {
    setTimeout: (callback, delay) => globalThis.setTimeout(callback, delay),
    clearTimeout: (handle) => globalThis.clearTimeout(handle),
    now: () => performance.now(),
};
/** The longest delay that `setTimeout` knows; it takes a longer one for 0. */
const LONGEST = 2 ** 31 - 1;
/** One timer that can be set again and again; the last setting counts. */
export class Timer {
    timers;
    callback;
    #handle;
    #due = 0;
    constructor(timers, callback) {
        this.timers = timers;
        this.callback = callback;
    }
    /** Calls back once after so many ms, and not as it was set before. `Infinity`: never. */
    set(delay) {
        this.clear();
        if (delay === Infinity)
            return;
        this.#due = this.timers.now() + delay;
        this.#wait(delay);
    }
    /** Whether it is set. */
    get isSet() {
        return this.#handle !== undefined;
    }
    /** Does not call back. */
    clear() {
        if (this.#handle !== undefined)
            this.timers.clearTimeout(this.#handle);
        this.#handle = undefined;
    }
    #wait(delay) {
        this.#handle = this.timers.setTimeout(() => {
            this.#handle = undefined;
            const left = this.#due - this.timers.now();
            if (delay > LONGEST && left > 0)
                this.#wait(left);
            else
                this.callback();
        }, Math.min(Math.max(delay, 0), LONGEST));
    }
}
