/** What was seen lately, in bounded room. */
/** Keeps values for some time, at most so many: the oldest go first. */
export class Memory {
    timers;
    most;
    age;
    #kept = new Map();
    constructor(timers, most, 
    /** ms */
    age) {
        this.timers = timers;
        this.most = most;
        this.age = age;
    }
    get(key) {
        return this.#kept.get(key)?.value;
    }
    set(key, value) {
        this.#kept.delete(key);
        this.#kept.set(key, { value, since: this.timers.now() });
        const tooOld = this.timers.now() - this.age;
        for (const [oldest, { since }] of this.#kept) {
            if (this.#kept.size <= this.most && since >= tooOld)
                break;
            this.#kept.delete(oldest);
        }
    }
    delete(key) {
        this.#kept.delete(key);
    }
    clear() {
        this.#kept.clear();
    }
}
