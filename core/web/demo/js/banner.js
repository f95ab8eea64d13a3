// The state of the connection, where it is not as it should be.
import { byId, setText } from "./dom.js";
import { announce } from "./notes.js";

/** So long, in ms, the good news stays. */
const STAYS = 2500;

export class Banner {
  #wasLost = false;
  #timer;
  #refocus;

  /** `refocus` finds a new place for the focus that was in the banner when it goes. */
  constructor(retry, refocus) {
    byId("banner-retry").onclick = retry;
    this.#refocus = refocus;
  }

  show(state) {
    clearTimeout(this.#timer);
    if (state === "connecting") this.#say("lost", "Connecting…");
    else if (state === "reconnecting") this.#lost();
    else if (state === "online" && this.#wasLost) this.#back();
    else byId("banner").hidden = true;
  }

  #lost() {
    this.#wasLost = true;
    this.#say("lost", "Connection lost. Reconnecting… What you write leaves when it is back.");
  }

  #back() {
    this.#wasLost = false;
    const hadFocus = byId("banner").contains(document.activeElement);
    this.#say("back", "Connected again.");
    if (hadFocus) this.#refocus();
    this.#timer = setTimeout(() => {
      byId("banner").hidden = true;
    }, STAYS);
  }

  #say(kind, text) {
    const banner = byId("banner");
    if (banner.hidden || byId("banner-text").textContent !== text) announce(text);
    banner.dataset.kind = kind;
    banner.hidden = false;
    setText(byId("banner-text"), text);
  }
}
