// Short words to the user: notes that can be closed, and what only a screen reader says.
import { byId, h, iconButton } from "./dom.js";
import { paced } from "./paced.js";

const STAYS = 8000;

/** Shows what went wrong for a while. The same note twice is one. */
export function note(text) {
  const notes = byId("notes");
  for (const known of notes.children) {
    if (known.dataset.text === text) known.remove();
  }
  const element = h("div", { class: "note", role: "alert", "data-text": text }, h("p", {}, text));
  const close = () => element.remove();
  element.append(iconButton("close", "Close", { onclick: close, "data-tip": null }));
  notes.append(element);
  let timer = setTimeout(close, STAYS);
  // Whoever is reading it, or has the focus in it, has the time to.
  for (const begin of ["pointerenter", "focusin"]) element.addEventListener(begin, () => clearTimeout(timer));
  for (const end of ["pointerleave", "focusout"]) {
    element.addEventListener(end, () => {
      clearTimeout(timer);
      timer = setTimeout(close, STAYS);
    });
  }
}

/** ms between messages that are read out, and how many of those that came meanwhile are; more are only counted. */
const BREATH = 1000;
const READ_OUT = 3;
const heard = [];
const sayHeard = paced(() => {
  const texts = heard.splice(0);
  if (texts.length === 0) return;
  if (texts.length > READ_OUT) announce(`${texts.length} new messages`);
  else texts.forEach(announce);
}, BREATH);

/** Says that a message has come. When many wait for whoever has just come, nobody can listen to them all. */
export function announceMessage(text) {
  heard.push(text);
  sayHeard();
}

/** What was said to one user is nothing for the next one. */
export function forgetNotes() {
  heard.length = 0;
  for (const id of ["announcer", "notes"]) byId(id).replaceChildren();
}

/** Says something to those who listen. A line of its own each time: the same words twice are said twice. */
export function announce(text) {
  const announcer = byId("announcer");
  announcer.append(h("p", {}, text));
  if (announcer.childElementCount > 5) announcer.firstElementChild.remove();
}
