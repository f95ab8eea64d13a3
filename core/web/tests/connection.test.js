// The wire between a tab and the server is cut, for a moment and for longer.
import assert from "node:assert/strict";
import { Proxy } from "./support/proxy.js";
import { stage, test } from "./support/stage.js";

const on = stage();

/** Alice at the server, Bob behind a wire that can be cut; each has the conversation open. */
async function pair(alice, bob) {
  const wire = await Proxy.to(on.server.port);
  const [one, other] = [await on.browser.window(), await on.browser.window()];
  const tabs = [await on.browser.signIn(one, on.server.url, alice), await on.browser.signIn(other, wire.url, bob)];
  await tabs[0].add("person", bob);
  await tabs[1].add("person", alice);
  return { alice: tabs[0], bob: tabs[1], wire };
}

test("the socket to one tab is cut, and the conversation goes on", async (t) => {
  const { alice, bob, wire } = await pair("alice", "bob");
  t.after(() => wire.stop());
  await alice.say("before");
  await bob.message("before").waitFor();
  const expected = ["before"];
  for (let round = 1; round <= 3; round += 1) {
    await alice.say(`round ${round}, a`);
    wire.cut();
    await alice.say(`round ${round}, b`);
    await bob.message(`round ${round}, b`).waitFor();
    expected.push(`round ${round}, a`, `round ${round}, b`);
  }
  await bob.online();
  await bob.say("after");
  await alice.message("after").waitFor();
  await bob.shows([...expected.map((text) => `them: ${text}`), "me: after"]);
  await alice.shows([...expected.map((text) => `me: ${text}`), "them: after"]);
  for (const text of expected) await alice.tick(text, "read");
});

test("one is offline for a while and gets what was missed, once and in order", async (t) => {
  const { alice, bob, wire } = await pair("alice2", "bob2");
  t.after(() => wire.stop());
  await alice.say("before");
  await alice.tick("before", "read");
  wire.close();
  await bob.offline();
  await bob.screenshot("reconnecting");
  const texts = Array.from({ length: 6 }, (_, at) => `missed ${at + 1}`);
  await alice.say(...texts);
  for (const text of texts) await alice.tick(text, "sent");
  await bob.shows(["them: before"]);
  wire.open();
  await bob.retry();
  await bob.online();
  await bob.shows(["before", ...texts].map((text) => `them: ${text}`));
  for (const text of texts) await alice.tick(text, "read");
  await alice.say("and on");
  await bob.shows(["before", ...texts, "and on"].map((text) => `them: ${text}`));
});

test("what is written offline leaves when the connection is back", async (t) => {
  const { alice, bob, wire } = await pair("alice3", "bob3");
  t.after(() => wire.stop());
  wire.close();
  await bob.offline();
  await bob.say("one", "two", "three");
  await bob.tick("three", "sending");
  await bob.page.getByText("Leaves when the connection is back").waitFor();
  await bob.screenshot("written-offline");
  wire.open();
  await bob.retry();
  await bob.tick("three", "read");
  await alice.shows(["them: one", "them: two", "them: three"]);
});

test("the server is killed and comes back, and the conversation goes on", async () => {
  const [one, other] = [await on.browser.window(), await on.browser.window()];
  const alice = await on.browser.signIn(one, on.server.url, "alice4");
  const bob = await on.browser.signIn(other, on.server.url, "bob4");
  await alice.add("person", "bob4");
  await bob.add("person", "alice4");
  await alice.say("before");
  await alice.tick("before", "read");
  await on.server.kill();
  await Promise.all([alice.offline(), bob.offline()]);
  await alice.say("meanwhile");
  on.server = await on.server.again();
  await Promise.all([alice.retry(), bob.retry()]);
  await Promise.all([alice.online(), bob.online()]);
  await alice.tick("meanwhile", "read");
  await bob.shows(["them: before", "them: meanwhile"]);
});

test("a server that cannot be reached is told in words, and signing in works later", async (t) => {
  const wire = await Proxy.to(on.server.port);
  t.after(() => wire.stop());
  const tab = await on.browser.open(await on.browser.window(), wire.url);
  wire.close();
  await tab.page.getByLabel("Your name").fill("fred");
  await tab.page.keyboard.press("Enter");
  await tab.page.getByRole("alert").filter({ hasText: "cannot be reached" }).waitFor();
  await tab.screenshot("unreachable");
  wire.open();
  await tab.page.keyboard.press("Enter");
  await tab.page.locator("#app").waitFor();
});

test("a tab that was duplicated takes the connection over, and gives it back", async () => {
  const window = await on.browser.window();
  const first = await on.browser.signIn(window, on.server.url, "gina");
  const kept = await first.page.evaluate(() => ({ ...sessionStorage }));
  const copy = await on.browser.open(window, "about:blank");
  await copy.page.addInitScript((values) => Object.assign(sessionStorage, values), kept);
  await copy.page.goto(on.server.url);
  await copy.page.locator("#app").waitFor();
  await first.page.getByRole("dialog").getByText("another tab").waitFor();
  await copy.page.getByRole("navigation").getByRole("button", { name: "Add a person" }).first().click();
  await first.page.getByRole("button", { name: "Use it here" }).click();
  await copy.page.getByRole("dialog").getByText("another tab").waitFor();
  await copy.page.getByRole("button", { name: "Sign out" }).last().click();
  await copy.page.locator("#signin").waitFor();
  await copy.page.locator("#new-dialog").waitFor({ state: "hidden" });
  await first.online();
});

test("a server that is too busy for somebody who comes back is asked again", async () => {
  const tab = await on.browser.signIn(await on.browser.window(), on.server.url, "helen");
  let refused = 0;
  await tab.page.routeWebSocket(/\/rtc/, (socket) => {
    const server = socket.connectToServer();
    socket.onMessage((text) => {
      const { Type, From, To, DialogueID, CSeq } = JSON.parse(text);
      if (Type !== "REGISTER" || refused > 0) return server.send(text);
      refused += 1;
      socket.send(JSON.stringify({ Type: "RESPONSE", Code: 503, Desc: "", From, To, DialogueID, CSeq }));
    });
  });
  await tab.page.reload();
  await tab.page.getByText("The server cannot take this right now.").waitFor();
  await tab.add("person", "ian");
  await tab.presence("ian", "away");
  await tab.say("After all");
  await tab.tick("After all", "sent");
});

test("what the server refused at first, but has, is not told as unsent", async () => {
  const alice = await on.browser.signIn(await on.browser.window(), on.server.url, "alice5");
  const bob = await on.browser.signIn(await on.browser.window(), on.server.url, "bob5");
  await alice.page.routeWebSocket(/\/rtc/, (socket) => {
    const server = socket.connectToServer();
    const ids = new Set();
    socket.onMessage((text) => {
      const { Type, To, DialogueID } = JSON.parse(text);
      if (Type === "MESSAGE" && To.startsWith("bob5")) ids.add(DialogueID);
      server.send(text);
    });
    server.onMessage((text) => {
      const response = JSON.parse(text);
      const isRefused = response.Type === "RESPONSE" && ids.has(response.DialogueID);
      socket.send(isRefused ? JSON.stringify({ ...response, Code: 503, Desc: "" }) : text);
    });
  });
  await alice.page.reload();
  await alice.online();
  await alice.add("person", "bob5");
  await alice.say("Hello");
  await alice.tick("Hello", "failed");
  await bob.choose("alice5");
  await alice.tick("Hello", "read");
  await alice.page.getByRole("button", { name: "Sign out" }).click();
  // It asks nothing.
  await alice.page.locator("#signin").waitFor();
});

test("history that cannot be had is asked for at the same pace, however often the connection was lost", async (t) => {
  const wire = await Proxy.to(on.server.port);
  t.after(() => wire.stop());
  const window = await on.browser.window();
  await window.clock.install();
  const tab = await on.browser.signIn(window, wire.url, "kate");
  let asked = 0;
  await tab.page.route("**/api/im/v1/history/**", (route) => {
    asked += 1;
    return route.fulfill({ status: 503, contentType: "application/json", body: '{"code":102,"msg":"busy"}' });
  });
  await tab.add("person", "leo");
  await tab.page.getByText("Earlier messages cannot be shown now.").waitFor();
  for (let round = 0; round < 3; round += 1) {
    const again = tab.page.waitForResponse("**/api/im/v1/history/**");
    wire.close();
    await tab.offline();
    wire.open();
    await tab.retry();
    await again;
  }
  await tab.page.getByText("Earlier messages cannot be shown now.").waitFor();
  const before = asked;
  await tab.page.clock.runFor(5000);
  await tab.say("Said after it");
  await tab.tick("Said after it", "sent");
  assert.equal(asked, before + 1);
});
