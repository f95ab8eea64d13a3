// What is written leaves at once, and shows at once. It is kept until the server has it: over a lost connection, and over a reload.
import { explain, isPassing } from "./errors.js";
import { isText, ofTab } from "./storage.js";

/** Whether the browser has kept what was given to it. */
function isItem(item) {
  return isText(item?.id) && isText(item.to) && isText(item.text) && !Number.isNaN(new Date(item.date).getTime());
}

export class Outbox {
  #key;
  #transmit;
  #onFate;
  /** Id → `{ id, to, text, date }`: not known to be at the server. */
  #waiting;
  /** Receivers to whom something is under way. */
  #underWay = new Set();
  /** How many there have been. */
  #connections = 0;

  /**
   * `transmit(item)` is the promise of `{ status, date }`; `onFate(item, status, detail)` hears what became of it, where `detail` is the
   * server's date or the reason of a failure.
   */
  constructor(user, transmit, onFate) {
    this.#key = `outbox.${user}`;
    this.#transmit = transmit;
    this.#onFate = onFate;
    this.#waiting = new Map(ofTab.read(this.#key, [], Array.isArray).filter(isItem).map((item) => [item.id, item]));
  }

  /** What waits, in the order in which it was written. */
  items() {
    return [...this.#waiting.values()];
  }

  put(item) {
    this.#waiting.set(item.id, item);
    this.#keep();
    this.#run(item.to);
  }

  drop(id) {
    if (this.#waiting.delete(id)) this.#keep();
  }

  retry(id) {
    const item = this.#waiting.get(id);
    if (!item) return;
    delete item.failed;
    this.#keep();
    this.#run(item.to);
  }

  /** The connection is there, or there again: all that waits for it leaves. */
  flush() {
    this.#connections += 1;
    for (const to of new Set(this.items().map((item) => item.to))) this.#run(to);
  }

  /** What is for one receiver leaves one after the other: what has to leave again must not come after the next. */
  async #run(to) {
    if (this.#underWay.has(to)) return;
    this.#underWay.add(to);
    for (;;) {
      const item = this.items().find((one) => one.to === to && !one.failed);
      if (!item || !(await this.#send(item))) break;
    }
    this.#underWay.delete(to);
  }

  /** Whether what waits may go on. */
  async #send(item) {
    const connection = this.#connections;
    try {
      const { status, date } = await this.#transmit(item);
      this.drop(item.id);
      this.#onFate(item, status, date);
    } catch (error) {
      if (!this.#waiting.has(item.id)) return true;
      // It stays what it is, and leaves again: now, if the connection is another one, or with `flush`.
      if (isPassing(error) && !this.isConnected()) return false;
      if (isPassing(error) && connection !== this.#connections) return true;
      item.failed = true;
      this.#keep();
      this.#onFate(item, "failed", explain(error));
    }
    return true;
  }

  /** Set by the session. */
  isConnected = () => true;

  #keep() {
    ofTab.write(this.#key, this.items());
  }
}
