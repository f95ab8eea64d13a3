// The dialogs: a new conversation, and questions with two answers.
import { byId } from "./dom.js";
import { roomOf, userOf } from "./names.js";

const KINDS = {
  person: {
    title: "Add a person",
    lead: "Messages wait for whoever is not here and come when they sign in.",
    label: "Name",
    placeholder: "bob",
    submit: "Add",
    parse: userOf,
    problem: "A name has no spaces and none of : ; , / ? # in it.",
  },
  room: {
    title: "Join a room",
    lead: "If there is no room of that name yet, you open it.",
    label: "Room",
    placeholder: "lobby",
    submit: "Join",
    parse: roomOf,
    problem: "The name of a room has none of : ; , / ? in it.",
  },
};

/** Asks for a person or a room; `refuse` says what is wrong with a name, or null. Gives the name, or null. */
export function askForName(kind, refuse) {
  const { title, lead, label, placeholder, submit, parse, problem } = KINDS[kind];
  const dialog = byId("new-dialog");
  const input = byId("new-name");
  byId("new-title").textContent = title;
  byId("new-lead").textContent = lead;
  byId("new-label").textContent = label;
  byId("new-submit").textContent = submit;
  input.placeholder = placeholder;
  input.value = "";
  complain("");

  function complain(text) {
    byId("new-problem").textContent = text;
    input.setAttribute("aria-invalid", String(text !== ""));
  }

  return new Promise((resolve) => {
    byId("new-form").onsubmit = (event) => {
      event.preventDefault();
      const name = parse(input.value);
      const refusal = name ? refuse(name) : input.value.trim() === "" ? "A name is needed." : problem;
      if (refusal) {
        complain(refusal);
        input.focus();
        return;
      }
      dialog.close();
      // Not only at its close event: whoever types on has the new conversation by then.
      resolve(name);
    };
    byId("new-cancel").onclick = () => dialog.close();
    onDismissed(dialog, () => resolve(null));
    if (!dialog.open) dialog.showModal();
    input.focus();
  });
}

/** Asks a question. Gives whether the answer is yes; closing it is no. */
export function ask({ title, lead, yes, no = "Cancel" }) {
  const dialog = byId("ask-dialog");
  byId("ask-title").textContent = title;
  byId("ask-lead").textContent = lead;
  byId("ask-yes").textContent = yes;
  byId("ask-no").textContent = no;
  return new Promise((resolve) => {
    dialog.querySelector("form").onsubmit = (event) => {
      event.preventDefault();
      // First: as long as it is open, nothing else can have the focus.
      dialog.close();
      resolve(event.submitter?.value === "yes");
    };
    onDismissed(dialog, () => resolve(false));
    if (!dialog.open) dialog.showModal();
    byId("ask-yes").focus();
  });
}

/** Whoever waits for an answer gets none. */
export function dismissAll() {
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
}

/** The close event comes a moment later: if the dialog is open again by then, it is that of the question before. */
function onDismissed(dialog, handler) {
  dialog.oncancel = handler;
  dialog.onclose = () => {
    if (!dialog.open) handler();
  };
}
