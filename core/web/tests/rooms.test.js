// Rooms: all who are in one read what is said in it.
import { Proxy } from "./support/proxy.js";
import { stage, test } from "./support/stage.js";

const on = stage();

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
  await bob.page.getByRole("button", { name: "Leave the room" }).click();
  await bob.page.getByRole("button", { name: "Leave", exact: true }).click();
  await bob.entry("cellar").waitFor({ state: "detached" });
  await alice.say("Is he gone?");
  await alice.tick("Is he gone?", "sent");
  await bob.add("room", "cellar");
  await bob.shows(["them: Is he gone?"]);
});
