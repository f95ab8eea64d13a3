// Who is there, who is new, who is gone from the list.
import assert from "node:assert/strict";
import { Proxy } from "./support/proxy.js";
import { stage, test } from "./support/stage.js";
import { stranger } from "./support/stranger.js";

const on = stage();

test("presence: away, online, busy, and away again when the last device signs out", async () => {
  const window = await on.browser.window();
  const alice = await on.browser.signIn(window, on.server.url, "alice");
  await alice.add("person", "bob");
  await alice.presence("bob", "away");
  const bob = await on.browser.signIn(window, on.server.url, "bob");
  await alice.presence("bob", "online");
  await bob.page.getByLabel("Your status").selectOption("Busy");
  await alice.presence("bob", "busy");
  await alice.page.locator("#chat-about", { hasText: "Busy" }).waitFor();
  await bob.page.reload();
  await bob.online();
  assert.equal(await bob.page.getByLabel("Your status").inputValue(), "busy");
  await alice.presence("bob", "busy");
  await bob.page.getByLabel("Your status").selectOption("Away");
  await alice.presence("bob", "away");
  await bob.page.getByLabel("Your status").selectOption("Online");
  await alice.presence("bob", "online");
  await bob.page.getByRole("button", { name: "Sign out" }).click();
  await bob.page.locator("#signin").waitFor();
  await alice.presence("bob", "away");
});

test("who writes comes into the list, the latest first, with what was said last", async () => {
  const window = await on.browser.window();
  const carol = await on.browser.signIn(window, on.server.url, "carol");
  for (const [name, text] of [["dora", "Lunch?"], ["emil", "The key is under the mat."], ["frida", "Call me when you can"]]) {
    const other = await on.browser.signIn(window, on.server.url, name);
    await other.add("person", "carol");
    await other.say(text);
    await carol.entry(name).locator(".entry-text", { hasText: text }).waitFor();
  }
  const names = await carol.page.locator("#people .entry-name").allTextContents();
  assert.deepEqual(names, ["frida", "emil", "dora"]);
  await carol.add("room", "lobby");
  await carol.choose("emil");
  await carol.say("Thank you! I shall be there at eight.");
  await carol.tick("Thank you! I shall be there at eight.", "read");
  await carol.entry("emil").locator(".tick").waitFor();
  await carol.screenshot("list");
});

test("whoever was removed from the list is back with the next message, and what was said before, too", async () => {
  const window = await on.browser.window();
  const gina = await on.browser.signIn(window, on.server.url, "gina");
  const hal = await on.browser.signIn(window, on.server.url, "hal");
  await hal.add("person", "gina");
  await hal.say("one");
  await gina.choose("hal");
  await hal.tick("one", "read");
  await gina.page.getByRole("button", { name: "Remove from the list" }).click();
  await gina.screenshot("question");
  await gina.page.getByRole("button", { name: "Remove", exact: true }).click();
  await gina.entry("hal").waitFor({ state: "detached" });
  await gina.page.reload();
  await gina.online();
  await gina.page.getByText("Nobody yet.").waitFor();
  await hal.say("two");
  await gina.choose("hal");
  await gina.shows(["them: one", "them: two"]);
});

test("names that are none are told, and nothing is lost by it", async () => {
  const tab = await on.browser.open(await on.browser.window(), on.server.url);
  const { page } = tab;
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").filter({ hasText: "A name is needed" }).waitFor();
  await page.getByLabel("Your name").fill("no body");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").filter({ hasText: "no spaces" }).waitFor();
  await page.getByLabel("Your name").fill("Ivan");
  await page.keyboard.press("Enter");
  await page.locator("#app").waitFor();
  await page.locator("#add-person").click();
  await page.locator("#new-name").fill("ivan");
  await page.keyboard.press("Enter");
  await page.getByText("That is you.").waitFor();
  await tab.screenshot("dialog-problem");
});

test("a clock that is wrong by days changes nothing", async () => {
  const window = await on.browser.window();
  for (const [days, name] of [[-3, "late"], [3, "early"]]) {
    const context = await on.browser.window();
    await context.clock.setSystemTime(Date.now() + days * 86_400_000);
    const tab = await on.browser.signIn(context, on.server.url, name);
    const otto = await on.browser.signIn(window, on.server.url, `otto-${name}`);
    await otto.add("person", name);
    await otto.say("one");
    await tab.choose(`otto-${name}`);
    await tab.say("two");
    await otto.say("three");
    await tab.shows(["them: one", "me: two", "them: three"]);
    assert.equal(await tab.page.locator(".day").count(), 1);
    await tab.page.getByRole("button", { name: "Remove from the list" }).click();
    await tab.page.getByRole("button", { name: "Remove", exact: true }).click();
    await tab.entry(`otto-${name}`).waitFor({ state: "detached" });
    await tab.page.reload();
    await tab.online();
    await tab.page.getByText("Nobody yet.").waitFor();
    await otto.say("four");
    await tab.choose(`otto-${name}`);
    await tab.shows(["them: one", "me: two", "them: three", "them: four"]);
  }
});

test("whoever was removed while something was not sent is back with the next message, by any clock", async (t) => {
  const wire = await Proxy.to(on.server.port);
  t.after(() => wire.stop());
  const context = await on.browser.window();
  await context.clock.setSystemTime(Date.now() + 3 * 86_400_000);
  const tab = await on.browser.signIn(context, wire.url, "paula");
  const otto = await stranger(t, on.server, "otto@rtc.example");
  await otto.message("paula@rtc.example", "one");
  await tab.choose("otto");
  wire.close();
  await tab.offline();
  await tab.say("Not sent");
  await tab.page.getByRole("button", { name: "Remove from the list" }).click();
  await tab.page.getByRole("button", { name: "Remove", exact: true }).click();
  await tab.entry("otto").waitFor({ state: "detached" });
  await tab.page.close();
  // It comes to another device, and from history to this one.
  await stranger(t, on.server, "paula@rtc.example", "phone");
  await otto.message("paula@rtc.example", "two");
  wire.open();
  const next = await on.browser.signIn(context, wire.url, "paula");
  await next.choose("otto");
  await next.shows(["them: one", "them: two"]);
});
