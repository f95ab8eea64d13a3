// The round picture of a person, the square one of a room.
import { h, icon } from "./dom.js";
import { initials, isRoom, shade } from "./names.js";

const WORDS = { online: "Online", busy: "Busy", away: "Away", unknown: "" };

export function presenceWord(presence) {
  return WORDS[presence] ?? "";
}

/** An avatar; it is decoration, what it tells is told in words beside it. */
export function avatar(name, presence = null) {
  const element = h("span", { class: isRoom(name) ? "avatar room" : "avatar", "data-shade": shade(name), "aria-hidden": "true" });
  element.append(isRoom(name) ? icon("room") : initials(name));
  if (presence !== null) element.append(h("span", { class: "dot", "data-presence": presence }));
  return element;
}

export function showPresence(element, presence) {
  const dot = element.querySelector(".dot");
  if (dot && dot.dataset.presence !== presence) dot.dataset.presence = presence;
}
