// What the browser keeps: for another user it is gone, for another tab it is there, and nonsense in it does no harm.
import assert from "node:assert/strict";
import { Proxy } from "./support/proxy.js";
import { stage, test } from "./support/stage.js";
import { stranger } from "./support/stranger.js";

const on = stage();

test("whoever signs in after another one finds nothing of theirs", async (t) => {
  const alice = await on.browser.signIn(await on.browser.window(), on.server.url, "alice");
  await alice.add("person", "bob");
  const announcer = alice.page.locator("#announcer");
  await (await stranger(t, on.server, "bob@rtc.example")).message("alice@rtc.example", "What nobody else is to hear");
  await announcer.getByText("What nobody else is to hear").waitFor({ state: "attached" });
  await alice.page.locator("#composer").fill("What I would never send");
  await alice.page.getByLabel("Your status").selectOption("Busy");
  await alice.page.getByRole("button", { name: "Sign out" }).click();
  await alice.page.getByLabel("Your name").fill("eve");
  await alice.page.keyboard.press("Enter");
  await alice.page.locator("#me-name", { hasText: "eve" }).waitFor();
  assert.equal(await announcer.textContent(), "");
  assert.equal(await alice.page.getByLabel("Your status").inputValue(), "online");
  await alice.add("person", "bob");
  assert.equal(await alice.page.locator("#composer").inputValue(), "");
});

test("what has not been sent is lost by signing out only if the user says so", async (t) => {
  const wire = await Proxy.to(on.server.port);
  t.after(() => wire.stop());
  const tab = await on.browser.signIn(await on.browser.window(), wire.url, "carol");
  await tab.add("person", "bob");
  wire.close();
  await tab.offline();
  await tab.say("Not yet gone");
  await tab.page.getByRole("button", { name: "Sign out" }).click();
  await tab.page.getByRole("dialog").getByText("One message has not been sent").waitFor();
  await tab.screenshot("sign-out-unsent");
  await tab.page.getByRole("button", { name: "Cancel" }).click();
  await tab.message("Not yet gone").waitFor();
  await tab.page.getByRole("button", { name: "Sign out" }).click();
  await tab.page.getByRole("dialog").getByRole("button", { name: "Sign out" }).click();
  await tab.page.locator("#signin").waitFor();
  assert.deepEqual(await tab.page.evaluate(() => JSON.parse(sessionStorage["rtcd.outbox.carol@rtc.example"])), []);
});

test("nonsense that was kept is as good as nothing", async () => {
  for (const nonsense of ["null", "5", "[null,5,{}]", '{"bob@rtc.example":null,"x":{"since":"a"}}', "not JSON"]) {
    const window = await on.browser.window();
    const tab = await on.browser.open(window, on.server.url);
    await tab.page.evaluate((text) => {
      for (const name of ["drafts", "device", "outbox.dora@rtc.example", "presence"]) sessionStorage[`rtcd.${name}`] = text;
      localStorage["rtcd.roster.dora@rtc.example"] = text;
      localStorage["rtcd.theme"] = text;
      sessionStorage["rtcd.user"] = JSON.stringify("dora@rtc.example");
    }, nonsense);
    await tab.page.reload();
    await tab.page.locator("#app").waitFor();
    await tab.online();
    await tab.add("person", "emil");
    await tab.say(`Whatever was ${nonsense}`);
    await tab.tick(`Whatever was ${nonsense}`, "sent");
  }
});

test("a browser that keeps nothing more is written with all the same", async () => {
  const window = await on.browser.window();
  const tab = await on.browser.open(window, on.server.url);
  await tab.page.evaluate(() => {
    for (const area of [localStorage, sessionStorage]) {
      // Down to the last byte.
      for (let size = 8_000_000; size >= 1; size = Math.floor(size / 2)) {
        try {
          area[`filled ${size}`] = "x".repeat(size);
        } catch {
          // No room for so much.
        }
      }
    }
  });
  await tab.page.getByLabel("Your name").fill("frank");
  await tab.page.keyboard.press("Enter");
  await tab.page.locator("#app").waitFor();
  await tab.add("person", "gina");
  await tab.say("Full");
  await tab.tick("Full", "sent");
});

test("two tabs of one user: what is added, read and removed in one is so in the other", async () => {
  const window = await on.browser.window();
  const one = await on.browser.signIn(window, on.server.url, "hanna");
  const two = await on.browser.signIn(window, on.server.url, "hanna");
  const ivan = await on.browser.signIn(await on.browser.window(), on.server.url, "ivan");
  await one.add("room", "garden");
  await two.choose("garden");
  for (const tab of [one, two]) {
    // Its history is there, so it is joined: whoever speaks from now on is heard.
    await tab.page.getByText("All who are in this room").waitFor();
    await tab.page.keyboard.press("Escape");
  }
  await ivan.add("person", "hanna");
  await ivan.say("Are you there?");
  await ivan.add("room", "garden");
  await ivan.say("Hello, all");
  for (const name of ["ivan", "garden"]) {
    for (const tab of [one, two]) await tab.entry(name).locator(".badge", { hasText: "1" }).waitFor();
    await one.page.bringToFront();
    await one.choose(name);
    await two.entry(name).locator(".badge").waitFor({ state: "hidden" });
  }
  await two.page.bringToFront();
  await two.choose("garden");
  await one.page.getByRole("button", { name: "Leave the room" }).click();
  await one.page.getByRole("button", { name: "Leave", exact: true }).click();
  await two.entry("garden").waitFor({ state: "detached" });
  await two.page.locator("#nothing").waitFor();
});

test("a room that was left and joined again in another tab, at once, is another conversation here", async () => {
  const window = await on.browser.window();
  const tab = await on.browser.signIn(window, on.server.url, "lena");
  await tab.add("room", "yard");
  await tab.page.getByText("All who are in this room").waitFor();
  await tab.page.evaluate(() => {
    const key = "rtcd.roster.lena@rtc.example";
    const [[name, entry]] = Object.entries(JSON.parse(localStorage[key]));
    for (const value of [{ ...entry, hidden: Date.now() }, { ...entry, since: Date.now() + 1 }]) {
      localStorage[key] = JSON.stringify({ [name]: value });
      dispatchEvent(new StorageEvent("storage", { key }));
    }
  });
  await tab.say("Is it shown?");
  await tab.tick("Is it shown?", "sent");
});

test("a status that was chosen offline is told when the connection is back", async (t) => {
  const wire = await Proxy.to(on.server.port);
  t.after(() => wire.stop());
  const judy = await on.browser.signIn(await on.browser.window(), on.server.url, "judy");
  const ken = await on.browser.signIn(await on.browser.window(), wire.url, "ken");
  await judy.add("person", "ken");
  await judy.presence("ken", "online");
  wire.close();
  await ken.offline();
  await ken.page.getByLabel("Your status").selectOption("Busy");
  wire.open();
  await ken.retry();
  await judy.presence("ken", "busy");
});
