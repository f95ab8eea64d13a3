// All of it without a pointer.
import assert from "node:assert/strict";
import { Proxy } from "./support/proxy.js";
import { stage, test } from "./support/stage.js";
import { stranger } from "./support/stranger.js";

const on = stage();

/** Presses Tab until the control of this name has the focus; each on the way must show that it has it. */
async function tabTo(page, name) {
  for (let pressed = 0; pressed < 40; pressed += 1) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const element = document.activeElement;
      const { outlineStyle, outlineWidth } = getComputedStyle(element);
      const label = element.getAttribute("aria-label") ?? element.labels?.[0]?.textContent ?? element.textContent;
      return { label: label.trim(), isShown: outlineStyle !== "none" && outlineWidth !== "0px", isBody: element === document.body };
    });
    if (!at.isBody) assert.ok(at.isShown, `the focus on "${at.label}" cannot be seen`);
    if (at.label === name) return;
  }
  assert.fail(`Tab does not lead to "${name}"`);
}

test("sign in, add, write, read, leave: by keyboard alone", async () => {
  const window = await on.browser.window();
  const bob = await on.browser.signIn(window, on.server.url, "bob");
  const alice = await on.browser.open(window, on.server.url);
  const { keyboard } = alice.page;
  await alice.page.locator("#signin-name:focus").waitFor();
  await keyboard.type("alice");
  await keyboard.press("Enter");
  await alice.page.locator("#app").waitFor();

  await tabTo(alice.page, "Add a person");
  await keyboard.press("Enter");
  await keyboard.type("bob");
  await keyboard.press("Enter");
  await alice.isOpen("bob");
  await alice.page.locator("#composer:focus").waitFor();
  await keyboard.type("First line");
  await keyboard.press("Shift+Enter");
  await keyboard.type("second line");
  await keyboard.press("Enter");
  await alice.tick("First line\nsecond line", "delivered");
  await alice.screenshot("keyboard");

  await keyboard.press("Escape");
  await alice.entry("bob").locator("a:focus").waitFor();
  await tabTo(alice.page, "Join a room");
  await keyboard.press("Enter");
  await alice.page.getByRole("dialog").waitFor();
  await keyboard.press("Escape");
  await alice.page.locator("#add-room:focus").waitFor();
  await keyboard.press("Enter");
  await keyboard.type("lobby");
  await keyboard.press("Enter");
  await alice.isOpen("lobby");

  await keyboard.press("Escape");
  await alice.entry("lobby").locator("a:focus").waitFor();
  await keyboard.press("Home");
  await alice.entry("bob").locator("a:focus").waitFor();
  await keyboard.press("Enter");
  await alice.isOpen("bob");
  await bob.choose("alice");
  await alice.tick("First line\nsecond line", "read");

  await keyboard.press("Escape");
  await tabTo(alice.page, "Sign out");
  await keyboard.press("Enter");
  await alice.page.locator("#signin-name:focus").waitFor();
});

test("who chooses somebody and types at once has it in the message", async () => {
  const window = await on.browser.window();
  const alice = await on.browser.signIn(window, on.server.url, "alice7");
  const bob = await on.browser.signIn(window, on.server.url, "bob7");
  await alice.add("person", "bob7");
  await alice.say("Are you there?");
  await bob.entry("alice7").waitFor();
  // Both in one turn of the page: no test is faster.
  const written = await bob.page.evaluate(() => {
    document.querySelector(".entry a").click();
    document.execCommand("insertText", false, "Yes");
    return document.querySelector("#composer").value;
  });
  assert.equal(written, "Yes");
});

test("the skip link leads to where one writes", async () => {
  const tab = await on.browser.signIn(await on.browser.window(), on.server.url, "carol");
  await tab.add("person", "dave");
  await tab.page.reload();
  await tab.isOpen("dave");
  await tab.page.locator("#skip").focus();
  await tab.screenshot("skip-link");
  await tab.page.keyboard.press("Enter");
  await tab.page.locator("#composer:focus").waitFor();
});

test("a new message is said to those who listen, with its author", async () => {
  const window = await on.browser.window();
  const erin = await on.browser.signIn(window, on.server.url, "erin");
  const fred = await on.browser.signIn(window, on.server.url, "fred");
  await fred.add("person", "erin");
  await fred.say("Hello");
  await erin.page.locator("#announcer", { hasText: "New message from fred" }).waitFor({ state: "attached" });
  await erin.choose("fred");
  await fred.say("Again");
  await erin.page.locator("#announcer", { hasText: "fred: Again" }).waitFor({ state: "attached" });
});

test("every control has a name, and what calls will be is told", async () => {
  const tab = await on.browser.signIn(await on.browser.window(), on.server.url, "gina");
  await tab.add("person", "hal");
  const nameless = await tab.page.evaluate(() =>
    [...document.querySelectorAll("button, input, textarea, select, a[href]")]
      .filter((element) => !(element.getAttribute("aria-label") ?? element.labels?.[0]?.textContent ?? element.textContent).trim())
      // Dialogs get their words when they open.
      .filter((element) => !element.closest("dialog"))
      .map((element) => element.outerHTML),
  );
  assert.deepEqual(nameless, []);
  const call = tab.page.getByRole("button", { name: /^Call/ });
  assert.equal(await call.getAttribute("aria-disabled"), "true");
  await call.hover();
  await tab.screenshot("calls-later");
});

test("the focus is never lost with what had it", async (t) => {
  const wire = await Proxy.to(on.server.port);
  t.after(() => wire.stop());
  const tab = await on.browser.signIn(await on.browser.window(), wire.url, "ida");
  await tab.page.locator("#me-name:focus").waitFor();
  await tab.add("person", "jon");
  wire.close();
  await tab.offline();
  await tab.page.locator("#banner-retry").focus();
  wire.open();
  await tab.page.keyboard.press("Enter");
  await tab.online();
  await tab.page.locator("#composer:focus").waitFor();
  await tab.page.locator("#chat-remove").press("Enter");
  await tab.page.keyboard.press("Enter");
  await tab.entry("jon").waitFor({ state: "detached" });
  await tab.page.locator("#add-person:focus").waitFor();
});

test("what has the focus in the log keeps it when the connection is lost, and when something is said", async (t) => {
  const wire = await Proxy.to(on.server.port);
  t.after(() => wire.stop());
  const alice = await on.browser.signIn(await on.browser.window(), wire.url, "alice12");
  const bob = await stranger(t, on.server, "bob12@rtc.example");
  await bob.message("alice12@rtc.example", "See https://example.com/x for it");
  await bob.message("alice12@rtc.example", "or not");
  await alice.choose("bob12");
  await alice.page.locator("#log a").focus();
  const isFocused = () => alice.page.evaluate(() => document.activeElement.matches("#log a"));
  wire.close();
  await alice.offline();
  assert.ok(await isFocused());
  wire.open();
  await alice.retry();
  await alice.online();
  // The button that was pressed is gone, and the page has put the focus elsewhere.
  await alice.page.locator("#log a").focus();
  await bob.message("alice12@rtc.example", "After all");
  await alice.message("After all").waitFor();
  assert.ok(await isFocused());
});
