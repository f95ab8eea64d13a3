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
  #underWay = new Set();

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
    this.#send(item);
  }

  drop(id) {
    this.#waiting.delete(id);
    this.#keep();
  }

  retry(id) {
    const item = this.#waiting.get(id);
    if (!item) return;
    delete item.failed;
    this.#send(item);
  }

  /** The connection is there: all that waits for it leaves. */
  flush() {
    for (const item of this.items()) {
      if (!item.failed) this.#send(item);
    }
  }

  async #send(item) {
    if (this.#underWay.has(item.id)) return;
    this.#underWay.add(item.id);
    try {
      const { status, date } = await this.#transmit(item);
      this.drop(item.id);
      this.#onFate(item, status, date);
    } catch (error) {
      this.#failed(item, error);
    } finally {
      this.#underWay.delete(item.id);
    }
  }

  #failed(item, error) {
    if (!this.#waiting.has(item.id)) return;
    if (isPassing(error) && !this.isConnected()) return;
    item.failed = true;
    this.#keep();
    this.#onFate(item, "failed", explain(error));
  }

  /** Set by the session. */
  isConnected = () => true;

  #keep() {
    ofTab.write(this.#key, this.items());
  }
}
