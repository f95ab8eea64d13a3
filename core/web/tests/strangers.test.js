// What others may do to one who reads.
import assert from "node:assert/strict";
import { stage, test } from "./support/stage.js";
import { stranger } from "./support/stranger.js";

const on = stage();

test("a user who is called like a room says nothing to anybody", async (t) => {
  const alice = await on.browser.signIn(await on.browser.window(), on.server.url, "alice");
  const fake = await stranger(t, on.server, "room:lobby@rtc.example");
  await assert.rejects(fake.message("alice@rtc.example", "I am the lobby"), { code: 403 });
  const bob = await stranger(t, on.server, "bob@rtc.example");
  await bob.message("alice@rtc.example", "I am Bob");
  await alice.entry("bob").waitFor();
  assert.deepEqual(await alice.page.locator(".entry-name").allTextContents(), ["bob"]);
  await alice.page.getByText("No rooms.").waitFor();
});

test("ids of messages that the page itself uses, or another sender has used, hide nothing", async (t) => {
  const alice = await on.browser.signIn(await on.browser.window(), on.server.url, "alice2");
  await alice.add("room", "lobby");
  const [bob, mallory] = [await stranger(t, on.server, "bob2@rtc.example"), await stranger(t, on.server, "mallory2@rtc.example")];
  const rooms = [bob, mallory].map((client) => client.room("room:lobby@rtc.example"));
  for (const room of rooms) await room.join("Bob");
  await alice.page.keyboard.press("Escape");
  const today = await alice.page.evaluate(() => `day ${new Date().toDateString()}`);
  const said = [];
  for (const id of ["unread", today, "x"]) {
    for (const [at, room] of rooms.entries()) {
      await room.send(`${id} of ${at}`, { id });
      said.push(`them: ${id} of ${at}`);
      await alice.entry("lobby").locator(".entry-last", { hasText: `${["bob2", "mallory2"][at]}: ${id} of ${at}` }).waitFor();
    }
  }
  await alice.entry("lobby").locator(".badge", { hasText: "6" }).waitFor();
  await alice.choose("lobby");
  await alice.shows(said);
  await alice.page.locator(".unread-line").waitFor();
  assert.equal(await alice.page.locator(".unread-line").count(), 1);
  assert.deepEqual(await alice.page.locator(".author").allTextContents(), ["bob2", "mallory2", "bob2", "mallory2", "bob2", "mallory2"]);
  await alice.page.reload();
  await alice.isOpen("lobby");
  await alice.shows(said);
});

test("what is very long is shown in part, what is empty or no text is told", async (t) => {
  const alice = await on.browser.signIn(await on.browser.window(), on.server.url, "alice3");
  const bob = await stranger(t, on.server, "bob3@rtc.example");
  for (const body of ["x".repeat(50_000), "line\n".repeat(100), " ", { a: 1 }, "😀".repeat(2000)]) await bob.message("alice3@rtc.example", body);
  await alice.choose("bob3");
  await alice.page.getByText("This message is empty.").waitFor();
  await alice.page.getByText("This message cannot be shown here.").waitFor();
  const more = alice.page.getByRole("button", { name: "Show all" });
  assert.equal(await more.count(), 3);
  const first = alice.page.locator(".text").first();
  assert.ok((await first.textContent()).length < 2000);
  await more.first().press("Enter");
  assert.equal(await first.textContent(), "x".repeat(50_000));
  assert.equal(await more.count(), 2);
  await alice.screenshot("long-message");
});

test("names that would turn the letters around are seen to do so", async (t) => {
  const alice = await on.browser.signIn(await on.browser.window(), on.server.url, "alice4");
  for (const name of ["a\u202egnp.exe@rtc.example", "<img src=x onerror=alert(1)>@rtc.example", "__proto__"]) {
    await (await stranger(t, on.server, name)).message("alice4@rtc.example", "Hello");
  }
  await alice.entry("__proto__").waitFor();
  const names = await alice.page.locator(".entry-name").allTextContents();
  assert.deepEqual(names.sort(), ["<img src=x onerror=alert(1)>", "__proto__", "a\ufffdgnp.exe"]);
});
