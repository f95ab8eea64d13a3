// What was missed while the connection was lost comes, and so does what the server could not give at once.
import { Proxy } from "./support/proxy.js";
import { stage, test } from "./support/stage.js";
import { stranger } from "./support/stranger.js";

const on = stage();
/** ms after which the page asks again. */
const AGAIN = 5000;

/** The first `count` requests of that kind get a 503. */
async function refuse(page, what, count = 1) {
  let left = count;
  await page.route(`**/api/im/v1/${what}`, (route) => {
    if (left === 0) return route.continue();
    left -= 1;
    return route.fulfill({ status: 503, contentType: "application/json", body: '{"code":102,"msg":"busy"}' });
  });
}

for (const what of ["conversations**", "history/**"]) {
  test(`one answer that could not be had leaves no gap: ${what}`, async (t) => {
    const wire = await Proxy.to(on.server.port);
    t.after(() => wire.stop());
    const [name] = what.split("*");
    const room = `attic-${name.slice(0, 3)}`;
    const window = await on.browser.window();
    await window.clock.install();
    const alice = await on.browser.signIn(await on.browser.window(), on.server.url, `alice-${room}`);
    const bob = await on.browser.signIn(window, wire.url, `bob-${room}`);
    for (const tab of [alice, bob]) {
      await tab.add("room", room);
      await tab.page.getByText("All who are in this room").waitFor();
    }
    await alice.say("one");
    await bob.message("one").waitFor();
    wire.close();
    await bob.offline();
    // It forgets who is in the room, so Bob hears nothing of what is said there.
    await on.server.kill();
    await alice.offline();
    on.server = await on.server.again();
    await alice.retry();
    await alice.online();
    await alice.say("missed");
    await alice.tick("missed", "sent");

    await refuse(bob.page, what);
    const refused = bob.page.waitForResponse((response) => response.url().includes("/im/v1/") && response.status() === 503);
    wire.open();
    await bob.retry();
    await refused;
    await bob.page.clock.runFor(AGAIN);
    await bob.shows(["them: one", "them: missed"]);
  });
}

test("all that is unread is shown and told as read, however much it is", async (t) => {
  const window = await on.browser.window();
  const first = await on.browser.signIn(window, on.server.url, "bob3");
  await first.add("person", "alice3");
  await first.page.close();
  const phone = await stranger(t, on.server, "bob3@rtc.example", "phone");
  const alice = await stranger(t, on.server, "alice3@rtc.example");
  for (let at = 1; at <= 120; at += 1) await alice.message("bob3@rtc.example", `m${at}`);
  // The server keeps it a moment after it has told of it.
  const unreadIs = async (count) => {
    while ((await phone.conversations()).conversations[0]?.unread !== count);
  };
  await unreadIs(120);

  const bob = await on.browser.open(window, "about:blank");
  const receipts = new Set();
  const isAllRead = new Promise((resolve) => alice.on("receipt", ({ read }) => {
    for (const id of read) receipts.add(id);
    if (receipts.size === 120) resolve();
  }));
  await bob.page.goto(`${on.server.url}#alice3%40rtc.example`);
  await bob.page.getByLabel("Your name").fill("bob3");
  await bob.page.keyboard.press("Enter");
  await bob.isOpen("alice3");
  await isAllRead;
  await unreadIs(0);
});

test("what was read on another device is read here too when the connection is back", async (t) => {
  const wire = await Proxy.to(on.server.port);
  t.after(() => wire.stop());
  const alice = await on.browser.signIn(await on.browser.window(), on.server.url, "alice4");
  const desk = await on.browser.signIn(await on.browser.window(), on.server.url, "bob4");
  const laptop = await on.browser.signIn(await on.browser.window(), wire.url, "bob4");
  await alice.add("person", "bob4");
  await alice.say("one", "two");
  for (const tab of [desk, laptop]) await tab.entry("alice4").locator(".badge", { hasText: "2" }).waitFor();
  wire.close();
  await laptop.offline();
  await desk.choose("alice4");
  await alice.tick("two", "read");
  // So nothing waits for the laptop any more.
  await on.server.kill();
  on.server = await on.server.again();
  wire.open();
  await laptop.retry();
  await laptop.online();
  await laptop.entry("alice4").locator(".badge").waitFor({ state: "hidden" });
});

test("somebody who could not be watched at first is watched a little later", async () => {
  const window = await on.browser.window();
  await window.clock.install();
  const alice = await on.browser.signIn(window, on.server.url, "alice5");
  await on.browser.signIn(await on.browser.window(), on.server.url, "bob5");
  let refused;
  const isRefused = new Promise((resolve) => (refused = resolve));
  await alice.page.routeWebSocket(/\/rtc/, (socket) => {
    const server = socket.connectToServer();
    let isFirst = true;
    socket.onMessage((text) => {
      const { Event, From, To, DialogueID, CSeq } = JSON.parse(text);
      if (Event !== "presence" || !isFirst) return server.send(text);
      isFirst = false;
      socket.send(JSON.stringify({ Type: "RESPONSE", Code: 503, Desc: "", From, To, DialogueID, CSeq }));
      refused();
    });
  });
  await alice.page.reload();
  await alice.online();
  await alice.add("person", "bob5");
  await isRefused;
  await alice.page.clock.runFor(AGAIN);
  await alice.presence("bob5", "online");
});
