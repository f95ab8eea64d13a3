// Where a message is written. What was begun stays with its conversation, over a reload, too.
import { h, iconButton } from "./dom.js";
import { isRoom, shown } from "./names.js";
import { goodEntries, isText, ofTab } from "./storage.js";

/** Well below the 64 KiB that the server takes, whatever the letters are. */
const LONGEST = 8000;
/** Conversation → text. They are gone when their user signs out: the next one at this tab may be somebody else. */
const drafts = new Map(goodEntries(ofTab.read("drafts", null, () => true), isText));

export function forgetDrafts() {
  drafts.clear();
  ofTab.remove("drafts");
}

export function composer(name, send) {
  const label = isRoom(name) ? `Message to the room ${shown(name)}` : `Message to ${shown(name)}`;
  const text = h("textarea", { id: "composer", rows: "1", maxlength: String(LONGEST), "aria-label": label, placeholder: "Write a message", enterkeyhint: "send" });
  const form = h("form", { class: "composer" }, text, iconButton("send", "Send", { type: "submit", class: "send", "data-tip": null }));
  text.value = drafts.get(name) ?? "";
  text.addEventListener("input", () => {
    keep(name, text.value);
    fit(text);
  });
  text.addEventListener("keydown", (event) => {
    // An input method uses Enter for itself. On a phone Enter is a new line, as everywhere there.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || matchMedia("(pointer: coarse)").matches) return;
    event.preventDefault();
    form.requestSubmit();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const written = text.value.trim();
    text.focus();
    if (written === "") return;
    text.value = "";
    keep(name, "");
    fit(text);
    send(written);
  });
  return form;
}

/** As high as what is in it; where the browser does not do so by itself. */
function fit(text) {
  if (CSS.supports("field-sizing", "content")) return;
  text.style.height = "auto";
  text.style.height = `${text.scrollHeight + 2}px`;
}

function keep(name, text) {
  if (text === "") drafts.delete(name);
  else drafts.set(name, text);
  ofTab.write("drafts", Object.fromEntries(drafts));
}
