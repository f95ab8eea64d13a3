// Signing in and out; what happens between is the app's.
import { App } from "./app.js";
import { forgetDrafts } from "./composer.js";
import { ask } from "./dialogs.js";
import { byId } from "./dom.js";
import { explain } from "./errors.js";
import { userOf } from "./names.js";
import { Session } from "./session.js";
import { deviceOfTab, isText, ofTab } from "./storage.js";
import { wireTheme } from "./theme.js";

/** So long, in ms, signing in is tried before the page says that it does not work. */
const PATIENCE = 8000;

let app = null;
let session = null;

wireTheme();
byId("signin-form").addEventListener("submit", signIn);
const known = userOf(ofTab.read("user", "", isText));
if (known) resume(known);
else showSignIn();

function showSignIn(problem = "") {
  byId("signin").hidden = false;
  complain(problem);
  byId("signin-name").focus();
}

async function signIn(event) {
  event.preventDefault();
  const user = userOf(byId("signin-name").value);
  if (!user) {
    const isEmpty = byId("signin-name").value.trim() === "";
    complain(isEmpty ? "A name is needed: any will do." : "A name has no spaces and none of : ; , / ? # in it.");
    byId("signin-name").focus();
    return;
  }
  complain("");
  setBusy(true);
  const begun = begin(user);
  try {
    await begun.start(PATIENCE);
  } catch (error) {
    begun.stop();
    const isRefused = error.name === "RejectedError";
    complain(isRefused ? explain(error) : "The server cannot be reached, or does not let you in. Try again in a moment.");
    return;
  } finally {
    setBusy(false);
  }
  ofTab.write("user", user);
  enter(begun);
  // What had it is gone.
  if (document.activeElement === document.body) byId("me-name").focus();
}

/** After a reload: the app is there at once, and connects while it is looked at. */
function resume(user) {
  const begun = begin(user);
  begun.keepTrying();
  enter(begun);
}

function begin(user) {
  const isPresence = (value) => ["online", "busy", "away"].includes(value);
  return new Session(user, deviceOfTab(), ofTab.read("presence", "online", isPresence));
}

function enter(begun) {
  session = begun;
  byId("signin").hidden = true;
  app = new App(session, { signOut: wantSignOut, replaced });
}

async function wantSignOut() {
  const count = session.unsent;
  const lead = `${count === 1 ? "One message has" : `${count} messages have`} not been sent, and will be lost.`;
  if (count === 0 || (await ask({ title: "Sign out?", lead, yes: "Sign out" }))) signOut();
}

/** What was said here is nobody else's: the next one at this tab may be another user. */
function signOut() {
  session.forgetUnsent();
  for (const name of ["user", "presence"]) ofTab.remove(name);
  forgetDrafts();
  leave();
  history.replaceState(null, "", location.pathname);
  byId("signin-name").value = "";
  showSignIn();
}

function leave() {
  app?.end();
  session?.stop();
  app = null;
  session = null;
}

/** The tab was duplicated: its copy has the connection now. */
async function replaced() {
  const { user } = session;
  const isHere = await ask({
    title: "You have moved on",
    lead: "This conversation was opened in another tab. One of the two can be connected.",
    yes: "Use it here",
    no: "Sign out",
  });
  if (!isHere) return signOut();
  leave();
  resume(user);
}

function complain(text) {
  byId("signin-problem").textContent = text;
  byId("signin-name").setAttribute("aria-invalid", String(text !== ""));
}

function setBusy(isBusy) {
  byId("signin-submit").disabled = isBusy;
  byId("signin-submit").textContent = isBusy ? "Signing in…" : "Sign in";
}
