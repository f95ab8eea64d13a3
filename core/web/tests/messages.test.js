// Two tabs talk, and nothing is lost, doubled or out of order.
import assert from "node:assert/strict";
import { stage, test } from "./support/stage.js";
import { stranger } from "./support/stranger.js";

const on = stage();

test("two tabs sign in and exchange ten messages, and each gets its ticks", async () => {
  const window = await on.browser.window();
  const alice = await on.browser.signIn(window, on.server.url, "alice");
  await alice.screenshot("empty");
  const bob = await on.browser.signIn(window, on.server.url, "bob");
  await alice.add("person", "bob");
  await alice.presence("bob", "online");
  await bob.add("person", "alice");

  const said = [];
  for (let round = 1; round <= 5; round += 1) {
    await alice.say(`Question ${round}`);
    await bob.message(`Question ${round}`).waitFor();
    await bob.say(`Answer ${round}`);
    await alice.message(`Answer ${round}`).waitFor();
    said.push(["me", `Question ${round}`], ["them", `Answer ${round}`]);
  }
  await alice.shows(said.map(([who, text]) => `${who}: ${text}`));
  await bob.shows(said.map(([who, text]) => `${who === "me" ? "them" : "me"}: ${text}`));
  for (let round = 1; round <= 5; round += 1) {
    await alice.tick(`Question ${round}`, "read");
    await bob.tick(`Answer ${round}`, "read");
  }
  await alice.screenshot("ten-messages");
});

test("a tick tells sent, delivered and read apart", async () => {
  const window = await on.browser.window();
  const alice = await on.browser.signIn(window, on.server.url, "alice2");
  await alice.add("person", "carol");
  await alice.presence("carol", "away");
  await alice.say("Are you there?");
  await alice.tick("Are you there?", "sent");

  const carol = await on.browser.signIn(window, on.server.url, "carol");
  await alice.presence("carol", "online");
  await alice.tick("Are you there?", "delivered");
  await carol.entry("alice2").locator(".badge", { hasText: "1" }).waitFor();
  assert.equal(await carol.page.title(), "(1) rtcd");

  await carol.choose("alice2");
  await alice.tick("Are you there?", "read");
  await carol.entry("alice2").locator(".badge").waitFor({ state: "hidden" });
  assert.equal(await carol.page.title(), "rtcd");
});

test("what was read stays read, and what was not stays unread, over a reload", async () => {
  const window = await on.browser.window();
  const alice = await on.browser.signIn(window, on.server.url, "alice3");
  const bob = await on.browser.signIn(window, on.server.url, "bob3");
  await alice.add("person", "bob3");
  await alice.say("one", "two");
  await bob.choose("alice3");
  await alice.tick("two", "read");
  await bob.page.keyboard.press("Escape");
  await alice.say("three");
  await bob.entry("alice3").locator(".badge", { hasText: "1" }).waitFor();
  await Promise.all([alice.page.reload(), bob.page.reload()]);
  await alice.tick("two", "read");
  await alice.tick("three", "delivered");
  await bob.entry("alice3").locator(".badge", { hasText: "1" }).waitFor();
  await bob.choose("alice3");
  await bob.page.locator(".unread-line").waitFor();
  await bob.shows(["them: one", "them: two", "them: three"]);
  await alice.tick("three", "read");
});

test("one reloads in mid-conversation and misses nothing", async () => {
  const window = await on.browser.window();
  const alice = await on.browser.signIn(window, on.server.url, "alice4");
  const bob = await on.browser.signIn(window, on.server.url, "bob4");
  await alice.add("person", "bob4");
  await bob.add("person", "alice4");

  const texts = Array.from({ length: 20 }, (_, at) => `Line ${at + 1}`);
  await alice.say(...texts.slice(0, 5));
  await bob.message("Line 3").waitFor();
  const [, reload] = [await alice.say(...texts.slice(5, 8)), bob.page.reload()];
  await alice.say(...texts.slice(8, 15));
  await reload;
  await bob.isOpen("alice4");
  await alice.say(...texts.slice(15));
  await bob.shows(texts.map((text) => `them: ${text}`));
  await alice.shows(texts.map((text) => `me: ${text}`));
  for (const text of texts) await alice.tick(text, "read");
});

test("what was being sent when the tab was reloaded is sent", async () => {
  const window = await on.browser.window();
  const alice = await on.browser.signIn(window, on.server.url, "alice5");
  const bob = await on.browser.signIn(window, on.server.url, "bob5");
  await alice.add("person", "bob5");
  await bob.add("person", "alice5");
  const texts = Array.from({ length: 5 }, (_, at) => `Quick ${at + 1}`);
  await alice.say(...texts);
  await alice.page.reload();
  await bob.shows(texts.map((text) => `them: ${text}`));
  await alice.shows(texts.map((text) => `me: ${text}`));
  for (const text of texts) await alice.tick(text, "read");
});

test("earlier messages come in pages, and what is read stays where it is", async () => {
  const window = await on.browser.window();
  const alice = await on.browser.signIn(window, on.server.url, "alice6");
  await alice.add("person", "dan");
  const texts = Array.from({ length: 70 }, (_, at) => `Note ${at + 1}`);
  await alice.say(...texts);
  await alice.tick("Note 70", "sent");
  await alice.page.reload();
  await alice.message("Note 70").waitFor();
  assert.equal(await alice.message("Note 1").count(), 0);
  await alice.page.getByRole("button", { name: "Earlier messages" }).press("Enter");
  await alice.shows(texts.map((text) => `me: ${text}`));
});

test("text is text, whatever is in it", async () => {
  const window = await on.browser.window();
  const alice = await on.browser.signIn(window, on.server.url, "alice7");
  const bob = await on.browser.signIn(window, on.server.url, "bob7");
  await alice.add("person", "bob7");
  await bob.add("person", "alice7");
  const evil = `<img src=x onerror="document.title='gone'"> </script><b>bold</b> javascript:alert(1) "&amp;"`;
  await alice.say(evil, "See https://example.com/a?b=1.");
  await bob.shows([`them: ${evil}`, "them: See https://example.com/a?b=1."]);
  assert.equal(await bob.page.locator("#log img, #log b, #log script").count(), 0);
  assert.equal(await bob.page.locator("#log a").getAttribute("href"), "https://example.com/a?b=1");
});

test("two devices of one user see the same conversation", async () => {
  const [one, other] = [await on.browser.window(), await on.browser.window()];
  const desk = await on.browser.signIn(one, on.server.url, "erin");
  const phone = await on.browser.signIn(other, on.server.url, "erin");
  const bob = await on.browser.signIn(one, on.server.url, "bob8");
  await bob.add("person", "erin");
  await bob.say("To both of you");
  await desk.choose("bob8");
  await phone.choose("bob8");
  await desk.say("From the desk");
  await phone.shows(["them: To both of you", "me: From the desk"]);
  await bob.shows(["me: To both of you", "them: From the desk"]);
});

test("the line above what is new goes to where one left off last", async (t) => {
  const alice = await on.browser.signIn(await on.browser.window(), on.server.url, "alice9");
  const bob = await stranger(t, on.server, "bob9@rtc.example");
  const looks = (isSeen) => alice.page.evaluate((isSeen) => {
    document.hasFocus = () => isSeen;
    dispatchEvent(new Event("focus"));
  }, isSeen);
  const below = (text) => alice.page.locator(".unread-line + .message", { hasText: text }).waitFor();
  await bob.message("alice9@rtc.example", "one");
  await alice.choose("bob9");
  await below("one");
  await looks(false);
  await bob.message("alice9@rtc.example", "two");
  await below("two");
  await bob.message("alice9@rtc.example", "three");
  await alice.message("three").waitFor();
  await below("two");
  await looks(true);
  await alice.entry("bob9").locator(".badge").waitFor({ state: "hidden" });
  await looks(false);
  await bob.message("alice9@rtc.example", "four");
  await below("four");
});

test("who wants more while the first messages are still coming gets more", async () => {
  const window = await on.browser.window();
  const alice = await on.browser.signIn(window, on.server.url, "alice10");
  await alice.add("person", "dora");
  const texts = Array.from({ length: 60 }, (_, at) => `Note ${at + 1}`);
  await alice.say(...texts);
  await alice.tick("Note 60", "sent");
  let letGo;
  const held = new Promise((resolve) => (letGo = resolve));
  // Without it, nobody knows whether more has to come by itself.
  await alice.page.route("**/api/im/v1/conversations**", async (route) => {
    await held;
    await route.continue();
  });
  await alice.page.reload();
  await alice.message("Note 60").waitFor();
  await alice.page.getByRole("button", { name: "Earlier messages" }).press("Enter");
  letGo();
  await alice.shows(texts.map((text) => `me: ${text}`));
});
