/**
 * Is somebody there? A browser shows its pages neither pings nor pongs, and a socket whose network is gone looks well for minutes.
 * So what counts is whether frames come while an answer is due, and now and then an answer is made due.
 */
import { Timer } from "./timers.js";
/** Watches one socket after the other. */
export class Liveness {
    options;
    timers;
    #silence;
    #heartbeat;
    #heardAt = 0;
    constructor(options, timers, nobody, ask) {
        this.options = options;
        this.timers = timers;
        this.#silence = new Timer(timers, nobody);
        this.#heartbeat = new Timer(timers, () => {
            const left = this.#heardAt + options.heartbeat - timers.now();
            if (left <= 0)
                ask();
            this.#heartbeat.set(left > 0 ? left : options.heartbeat);
        });
    }
    /** A new socket. */
    start() {
        this.heard();
        this.#heartbeat.set(this.options.heartbeat);
    }
    /** There is no socket. */
    stop() {
        this.#silence.clear();
        this.#heartbeat.clear();
    }
    /** A frame came. */
    heard() {
        this.#heardAt = this.timers.now(); // its timer looks at this, so that a frame costs no timer
        this.#silence.clear();
    }
    /** A frame went that the server answers soon. */
    asked() {
        if (!this.#silence.isSet)
            this.#silence.set(this.options.silence);
    }
}
