// Whom this user follows: people's presence is watched, rooms are joined.
import { isForNow } from "./errors.js";
import { isRoom } from "./names.js";

/** People whose presence is watched without their conversation having been opened: whoever writes comes onto the list. */
const WATCHED = 300;
/** ms after which what the server could not do is tried again. */
const AGAIN = 5000;

export class Followed {
  #client;
  #isWanted;
  #onTrouble;
  /** Name → promise of its subscription, or of nothing for a room. */
  #begun = new Map();
  /** Rooms of which it was told that they cannot be joined. */
  #troubled = new Set();

  /** `isWanted(name)`: whether it is to be followed, and can be now; `onTrouble(error)` hears why a room cannot be joined. */
  constructor(client, isWanted, onTrouble) {
    this.#client = client;
    this.#isWanted = isWanted;
    this.#onTrouble = onTrouble;
  }

  /** A room always; of people not all, if there are very many. */
  addFew(name) {
    if (isRoom(name) || this.#begun.size < WATCHED) this.add(name);
  }

  /** Is done when the server has accepted. Tries anew if it failed. */
  add(name) {
    const known = this.#begun.get(name);
    if (known) return known;
    const begun = isRoom(name) ? this.#client.room(name).join(this.#client.user) : this.#client.subscribePresence(name);
    this.#begun.set(name, begun);
    begun.then(() => this.#troubled.delete(name), (error) => {
      if (this.#begun.get(name) === begun) this.#failed(name, error);
    });
    return begun;
  }

  async remove(name) {
    const begun = this.#begun.get(name);
    this.#begun.delete(name);
    this.#troubled.delete(name);
    if (isRoom(name)) await this.#client.room(name).leave();
    else await (await begun)?.unsubscribe();
  }

  /** The connection is another one. A membership may have ended meanwhile, and history is for members: this waits until there is one again. */
  onConnected() {
    for (const name of [...this.#begun.keys()]) if (isRoom(name)) this.#begun.delete(name);
  }

  #failed(name, error) {
    this.#begun.delete(name);
    if (isForNow(error)) setTimeout(() => this.#isWanted(name) && this.addFew(name), AGAIN);
    if (!isRoom(name) || this.#troubled.has(name)) return;
    this.#troubled.add(name);
    this.#onTrouble(error);
  }
}
