// On a phone, in the dark.
import assert from "node:assert/strict";
import { stage, test } from "./support/stage.js";

const on = stage();

const PHONE = { viewport: { width: 320, height: 660 }, hasTouch: true, isMobile: true };

async function fitsItsWidth({ page }) {
  const { needs, has, outside } = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    const controls = [...document.querySelectorAll("button, input, textarea, select, .bubble")];
    const isOutside = (element) => {
      const { left, right, width } = element.getBoundingClientRect();
      return width > 0 && (left < 0 || right > clientWidth);
    };
    return { needs: scrollWidth, has: clientWidth, outside: controls.filter(isOutside).map((element) => element.outerHTML) };
  });
  assert.ok(needs <= has, `needs ${needs} of ${has} px`);
  // What is cut off at the side makes nothing scroll.
  assert.deepEqual(outside, []);
}

test("on a phone: one thing at a time, and nothing is wider than it", async () => {
  const phone = await on.browser.window(PHONE);
  const alice = await on.browser.open(phone, on.server.url);
  await fitsItsWidth(alice);
  await alice.screenshot("phone-signin");
  await alice.page.getByLabel("Your name").fill("alice");
  await alice.page.getByRole("button", { name: "Sign in" }).tap();
  await alice.page.locator("#app").waitFor();
  const bob = await on.browser.signIn(await on.browser.window(), on.server.url, "bob");
  await bob.add("person", "alice");
  await bob.say("Hi", `A word that is longer than the phone is wide: ${"wide".repeat(40)}`, "Where shall we meet? I could be at the station at six, or a little later if the train is late again.");

  await alice.entry("bob").locator(".badge", { hasText: "3" }).waitFor();
  await fitsItsWidth(alice);
  await alice.screenshot("phone-list");
  await alice.page.getByRole("navigation").getByRole("button", { name: "Join a room" }).first().tap();
  await fitsItsWidth(alice);
  await alice.screenshot("phone-dialog");
  await alice.page.getByRole("button", { name: "Cancel" }).tap();
  await alice.entry("bob").locator("a").tap();
  await alice.isOpen("bob");
  await alice.page.getByRole("navigation").waitFor({ state: "hidden" });
  await alice.page.locator("#composer").fill("At six");
  await alice.page.getByRole("button", { name: "Send" }).tap();
  await alice.tick("At six", "delivered", "read");
  await fitsItsWidth(alice);
  await alice.screenshot("phone-conversation");
  const long = "a-room-with-a-name-that-is-as-long-as-anybody-could-wish-for-it";
  await alice.page.getByRole("button", { name: "Back to the list" }).tap();
  await alice.page.getByRole("navigation").getByRole("button", { name: "Join a room" }).first().tap();
  await alice.page.locator("#new-name").fill(long);
  await alice.page.locator("#new-submit").tap();
  await alice.isOpen(long);
  await fitsItsWidth(alice);
  await alice.page.getByRole("button", { name: "Leave the room" }).tap();
  await fitsItsWidth(alice);
  await alice.page.getByRole("button", { name: "Cancel" }).tap();
  await alice.page.getByRole("button", { name: "Back to the list" }).tap();
  await fitsItsWidth(alice);
  await alice.entry("bob").locator("a").tap();
  await alice.isOpen("bob");
  await alice.page.goBack();
  await alice.page.getByRole("navigation").waitFor();
  await alice.entry("bob").locator("a").tap();
  await alice.page.getByRole("button", { name: "Back to the list" }).tap();
  await alice.page.getByRole("navigation").waitFor();
});

test("dark as the system is, and by the switch, over a reload", async () => {
  const dark = await on.browser.window({ colorScheme: "dark" });
  const alice = await on.browser.signIn(dark, on.server.url, "alice2");
  const bob = await on.browser.signIn(await on.browser.window(), on.server.url, "bob2");
  await alice.add("person", "bob2");
  await bob.add("person", "alice2");
  await alice.say("Is it dark where you are?");
  await bob.say("Not yet. Give me a second.");
  await alice.message("Not yet. Give me a second.").waitFor();
  assert.ok(await isDark(alice));
  await alice.screenshot("dark");

  assert.ok(!(await isDark(bob)));
  await bob.page.getByRole("button", { name: "Dark theme" }).click();
  assert.ok(await isDark(bob));
  await bob.page.reload();
  await bob.isOpen("alice2");
  assert.ok(await isDark(bob));
  await bob.page.getByRole("button", { name: "Light theme" }).click();
  assert.ok(!(await isDark(bob)));
  await bob.page.emulateMedia({ colorScheme: "dark" });
  assert.ok(await isDark(bob), "what was switched back follows the system");
});

async function isDark({ page }) {
  const color = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  return Number(/\d+/.exec(color)[0]) < 128;
}

test("text can be read on what is behind it, in both themes", async () => {
  for (const colorScheme of ["light", "dark"]) {
    const tab = await on.browser.signIn(await on.browser.window({ colorScheme }), on.server.url, `reader-${colorScheme}`);
    const ratios = await tab.page.evaluate(contrasts);
    for (const [pair, ratio] of Object.entries(ratios)) assert.ok(ratio >= 4.5, `${colorScheme}: ${pair} has ${ratio.toFixed(2)}`);
  }
});

/** Runs in the page: the contrast of the colours that are used together, as WCAG reckons it. */
function contrasts() {
  const pairs = [
    ["ink", "surface"], ["ink", "backdrop"], ["ink-soft", "surface"], ["ink-soft", "panel"], ["ink-soft", "backdrop"], ["ink-soft", "tint"],
    ["on-accent", "accent"], ["on-own", "own"], ["on-own-soft", "own"], ["accent", "panel"], ["accent", "backdrop"],
    ["danger", "backdrop"], ["danger", "surface"], ["danger", "danger-tint"], ["warn", "warn-tint"], ["on-tint", "tint"],
  ];
  const probe = document.body.appendChild(document.createElement("span"));
  const luminance = (name) => {
    probe.style.color = `var(--${name})`;
    const [red, green, blue] = getComputedStyle(probe).color.match(/[\d.]+/g).map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const ratio = (one, other) => {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  return Object.fromEntries(pairs.map(([one, other]) => [`${one} on ${other}`, ratio(one, other)]));
}
