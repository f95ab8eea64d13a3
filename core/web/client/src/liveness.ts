/**
 * Is somebody there? A browser shows its pages neither pings nor pongs, and a socket whose network is gone looks well for minutes.
 * So what counts is whether frames come while an answer is due, and now and then an answer is made due.
 */

import { Timer, type Timers } from "./timers.js";

/** ms. */
export interface LivenessOptions {
  /** No frame while an answer is due: nobody is there. */
  silence: number;
  /** No frame at all: something is asked. */
  heartbeat: number;
}

/** Watches one socket after the other. */
export class Liveness {
  readonly #silence: Timer;
  readonly #heartbeat: Timer;
  #heardAt = 0;

  constructor(
    private readonly options: LivenessOptions,
    private readonly timers: Timers,
    nobody: () => void,
    ask: () => void,
  ) {
    this.#silence = new Timer(timers, nobody);
    this.#heartbeat = new Timer(timers, () => {
      const left = this.#heardAt + options.heartbeat - timers.now();
      if (left <= 0) ask();
      this.#heartbeat.set(left > 0 ? left : options.heartbeat);
    });
  }

  /** A new socket. */
  start(): void {
    this.heard();
    this.#heartbeat.set(this.options.heartbeat);
  }

  /** There is no socket. */
  stop(): void {
    this.#silence.clear();
    this.#heartbeat.clear();
  }

  /** A frame came. */
  heard(): void {
    this.#heardAt = this.timers.now(); // its timer looks at this, so that a frame costs no timer
    this.#silence.clear();
  }

  /** A frame went that the server answers soon. */
  asked(): void {
    if (!this.#silence.isSet) this.#silence.set(this.options.silence);
  }
}
