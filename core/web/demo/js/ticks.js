// What became of a message of one's own, as a picture and in a word.
import { h, icon } from "./dom.js";

const WORDS = {
  sending: "Sending",
  sent: "Sent",
  delivered: "Delivered",
  read: "Read",
  failed: "Not sent",
};

export function fateWord(status) {
  return WORDS[status];
}

/** The tick of a status; its word is for those who listen, and shows at hover. */
export function tick(status) {
  const element = h("span", { class: "tick", "data-status": status, title: WORDS[status] });
  element.append(icon(status), h("span", { class: "heard" }, WORDS[status]));
  return element;
}
