// Rooms: all who are in one read what is said in it.
import assert from "node:assert/strict";
import { Proxy } from "./support/proxy.js";
import { stage, test } from "./support/stage.js";

const on = stage();

/** Leaves the room that is open. */
async function leave(tab, room) {
  await tab.page.getByRole("button", { name: "Leave the room" }).click();
  await tab.page.getByRole("button", { name: "Leave", exact: true }).click();
  await tab.entry(room).waitFor({ state: "detached" });
}

test("three talk in a room, and each sees who said what", async () => {
  const window = await on.browser.window();
  const tabs = [];
  for (const name of ["alice", "bob", "carol"]) {
    const tab = await on.browser.signIn(window, on.server.url, name);
    await tab.add("room", "lobby");
    tabs.push(tab);
  }
  const [alice, bob, carol] = tabs;
  await alice.say("Who is in?");
  for (const tab of [bob, carol]) await tab.message("Who is in?").locator(".author", { hasText: "alice" }).waitFor();
  await bob.say("I am");
  await carol.message("I am").locator(".author", { hasText: "bob" }).waitFor();
  await carol.say("So am I");
  await alice.message("So am I").locator(".author", { hasText: "carol" }).waitFor();
  await alice.tick("Who is in?", "sent");
  await alice.shows(["me: Who is in?", "them: I am", "them: So am I"]);
  await alice.screenshot("room");
});

test("a room has its history for who comes back, and counts what was not read", async () => {
  const window = await on.browser.window();
  const alice = await on.browser.signIn(window, on.server.url, "alice2");
  const bob = await on.browser.signIn(window, on.server.url, "bob2");
  await alice.add("room", "garden");
  await bob.add("room", "garden");
  // Its history is there: what comes from now on, while it is open, is read.
  await bob.page.getByText("All who are in this room").waitFor();
  await alice.say("one");
  await bob.message("one").waitFor();
  await bob.page.keyboard.press("Escape");
  await alice.say("two");
  await bob.entry("garden").locator(".badge", { hasText: "1" }).waitFor();
  await bob.page.reload();
  await bob.entry("garden").locator(".badge", { hasText: "1" }).waitFor();
  await bob.choose("garden");
  await bob.shows(["them: one", "them: two"]);
});

test("who leaves for the list before the history is there has read nothing", async () => {
  const alice = await on.browser.signIn(await on.browser.window(), on.server.url, "alice6");
  const bob = await on.browser.signIn(await on.browser.window(), on.server.url, "bob6");
  await bob.add("room", "shed");
  let letGo;
  const held = new Promise((resolve) => (letGo = resolve));
  let asked;
  const isAsked = new Promise((resolve) => (asked = resolve));
  await alice.page.route("**/api/im/v1/history/**", async (route) => {
    asked();
    await held;
    await route.continue();
  });
  await alice.add("room", "shed");
  await isAsked;
  await alice.page.keyboard.press("Escape");
  await bob.say("one");
  const badge = alice.entry("shed").locator(".badge", { hasText: "1" });
  await badge.waitFor();
  const answer = alice.page.waitForResponse("**/api/im/v1/history/**");
  letGo();
  await (await answer).finished();
  await bob.say("two");
  await alice.entry("shed").locator(".badge", { hasText: "2" }).waitFor();
});

test("a room goes on over a cut connection, and nothing comes twice", async (t) => {
  const wire = await Proxy.to(on.server.port);
  t.after(() => wire.stop());
  const alice = await on.browser.signIn(await on.browser.window(), on.server.url, "alice3");
  const bob = await on.browser.signIn(await on.browser.window(), wire.url, "bob3");
  await alice.add("room", "attic");
  await bob.add("room", "attic");
  await alice.say("one");
  await bob.message("one").waitFor();
  wire.close();
  await bob.offline();
  await alice.say("two", "three");
  await alice.tick("three", "sent");
  wire.open();
  await bob.retry();
  await bob.shows(["them: one", "them: two", "them: three"]);
  await bob.say("four");
  await alice.shows(["me: one", "me: two", "me: three", "them: four"]);
});

test("who leaves a room gets no more of it, and has it back after joining again", async () => {
  const window = await on.browser.window();
  const alice = await on.browser.signIn(window, on.server.url, "alice4");
  const bob = await on.browser.signIn(window, on.server.url, "bob4");
  await alice.add("room", "cellar");
  await bob.add("room", "cellar");
  await leave(bob, "cellar");
  await alice.say("Is he gone?");
  await alice.tick("Is he gone?", "sent");
  await bob.add("room", "cellar");
  await bob.shows(["them: Is he gone?"]);
});

test("what is under way while somebody leaves does not bring the room back", async () => {
  const alice = await on.browser.signIn(await on.browser.window(), on.server.url, "alice5");
  const bob = await on.browser.signIn(await on.browser.window(), on.server.url, "bob5");
  let letGo;
  let got;
  const hasCome = new Promise((resolve) => (got = resolve));
  await bob.page.routeWebSocket(/\/rtc/, (socket) => {
    const server = socket.connectToServer();
    // His good-bye takes its time.
    socket.onMessage((text) => {
      const { Type, To, Expire } = JSON.parse(text);
      if (Type === "SUBSCRIBE" && To.startsWith("room:") && Expire === 0) letGo = () => server.send(text);
      else server.send(text);
    });
    server.onMessage((text) => {
      socket.send(text);
      if (JSON.parse(text).Body === "Is he gone?") got();
    });
  });
  await bob.page.reload();
  await bob.online();
  await alice.add("room", "barn");
  await bob.add("room", "barn");
  await bob.page.getByText("All who are in this room").waitFor();
  await leave(bob, "barn");
  await alice.say("Is he gone?");
  await hasCome;
  letGo();
  // Somebody else's message comes after it.
  await alice.add("person", "bob5");
  await alice.say("And now?");
  await bob.entry("alice5").locator(".badge", { hasText: "1" }).waitFor();
  assert.equal(await bob.entry("barn").count(), 0);
  await bob.page.getByText("No rooms.").waitFor();
});

test("what was not sent to a room that was left offline does not bring it back", async (t) => {
  const wire = await Proxy.to(on.server.port);
  t.after(() => wire.stop());
  const window = await on.browser.window();
  await window.clock.install();
  const alice = await on.browser.signIn(window, wire.url, "alice7");
  await alice.add("room", "loft");
  await alice.page.getByText("All who are in this room").waitFor();
  await alice.add("person", "bob7");
  await alice.say("Sent later");
  wire.close();
  await alice.offline();
  await alice.choose("loft");
  await alice.say("Not sent");
  await alice.page.clock.runFor(31_000);
  await leave(alice, "loft");
  await alice.page.clock.runFor(31_000);
  wire.open();
  await alice.retry();
  await alice.online();
  await alice.choose("bob7");
  await alice.say("After it");
  await alice.tick("After it", "sent");
  const bob = await on.browser.signIn(await on.browser.window(), on.server.url, "bob7");
  await bob.add("room", "loft");
  await bob.say("Who is here?");
  await bob.choose("alice7");
  await bob.say("Where are you?");
  await alice.message("Where are you?").waitFor();
  await alice.page.getByText("No rooms.").waitFor();
});
