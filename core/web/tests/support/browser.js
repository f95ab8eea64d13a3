// Tabs of Chromium, and what the tests do in them.
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { within } from "./within.js";

const SCREENSHOTS = fileURLToPath(new URL("../../../../target/screenshots", import.meta.url));
/** How long, in ms, a test waits for what must happen: never waited out unless something is wrong. */
const PATIENCE = 30_000;

export class Browser {
  #contexts = [];
  /** Errors, and all that the page's policy forbids: there must be none. */
  problems = [];
  /** Hears of the next one. */
  onProblem = null;
  /** What was refused or could not be had: no fault by itself, but told of a test that fails. */
  #refusals = [];

  static async launch() {
    const browser = new Browser();
    browser.chromium = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
    await mkdir(SCREENSHOTS, { recursive: true });
    return browser;
  }

  async close() {
    await within(PATIENCE, "Chromium has ended", this.chromium.close());
  }

  /** A browser of somebody's own: its tabs share what is kept. */
  async window(options = {}) {
    const context = await this.chromium.newContext({ viewport: { width: 1180, height: 760 }, locale: "en-GB", ...options });
    context.setDefaultTimeout(PATIENCE);
    this.#contexts.push(context);
    return context;
  }

  /** A tab, signed in. `at` is the page's address. */
  async signIn(context, at, name) {
    const tab = await this.open(context, at);
    await tab.page.getByLabel("Your name").fill(name);
    await tab.page.getByRole("button", { name: "Sign in" }).click();
    await tab.page.locator("#app").waitFor();
    await tab.online();
    return tab;
  }

  async open(context, at) {
    const page = await context.newPage();
    const onProblem = (text) => {
      this.problems.push(text);
      this.onProblem?.(text);
    };
    page.on("pageerror", (error) => onProblem(String(error)));
    page.on("console", (message) => {
      // A connection that is cut is told to the console by the browser itself.
      const isOfNetwork = /WebSocket connection|Failed to load resource|net::ERR/.test(message.text());
      if (message.type() === "error" && !isOfNetwork) onProblem(message.text());
    });
    page.on("response", (response) => response.status() >= 400 && this.#refusals.push(`${response.status()} ${response.url()}`));
    page.on("requestfailed", (request) => this.#refusals.push(`${request.failure()?.errorText} ${request.url()}`));
    await page.goto(at);
    return new Tab(page);
  }

  /** Pictures of all that is open, and what was refused, for somebody who wants to know why a test has failed. */
  async tell(name) {
    const pages = this.#contexts.flatMap((context) => context.pages());
    const files = pages.map((_, at) => path.join(SCREENSHOTS, `failed-${name.replace(/\W+/g, "-").slice(0, 60)}-${at + 1}.png`));
    await Promise.allSettled(pages.map((page, at) => page.screenshot({ path: files[at], timeout: 5000 })));
    return [...this.#refusals, ...files].join("\n");
  }

  /** Closes all windows, and complains of what went wrong in them. */
  async clear() {
    await within(PATIENCE, "the windows are closed", Promise.all(this.#contexts.splice(0).map((context) => context.close())));
    this.#refusals = [];
    assert.deepEqual(this.problems.splice(0), []);
  }
}

export class Tab {
  constructor(page) {
    this.page = page;
  }

  /** Waits until the page says nothing of a lost connection. */
  async online() {
    await this.page.locator('#banner[data-kind="lost"]').waitFor({ state: "hidden" });
  }

  async offline() {
    await this.page.locator('#banner[data-kind="lost"]').waitFor();
  }

  /** Tries to connect now. The page may just have done so by itself, and the button be gone. */
  async retry() {
    await this.page.locator("#banner-retry").dispatchEvent("click");
  }

  async add(kind, name) {
    const label = kind === "room" ? "Join a room" : "Add a person";
    await this.page.getByRole("navigation").getByRole("button", { name: label }).first().click();
    await this.page.locator("#new-name").fill(name);
    await this.page.locator("#new-submit").click();
    await this.isOpen(name);
  }

  async isOpen(name) {
    await this.page.locator("#chat-name", { hasText: name }).waitFor();
  }

  entry(name) {
    return this.page.locator(".entry", { has: this.page.getByText(name, { exact: true }) });
  }

  async choose(name) {
    await this.entry(name).locator("a").click();
    await this.isOpen(name);
  }

  async say(...texts) {
    for (const text of texts) {
      await this.page.locator("#composer").fill(text);
      await this.page.locator("#composer").press("Enter");
    }
  }

  message(text) {
    return this.page.locator(".message", { has: this.page.getByText(text, { exact: true }) });
  }

  /** Waits for the tick of a message of one's own. */
  async tick(text, ...statuses) {
    const any = statuses.map((status) => `[data-status="${status}"]`).join(",");
    await this.message(text).and(this.page.locator(any)).waitFor();
  }

  /** Presses "Try again" as often as it is there. */
  async retryUntilSent(text) {
    const message = this.message(text);
    const settled = message.and(this.page.locator('[data-status="sent"], [data-status="failed"]'));
    const due = Date.now() + 2 * PATIENCE;
    do {
      assert.ok(Date.now() < due, `"${text}" is not sent, however often it is tried`);
      await message.getByRole("button", { name: "Try again" }).click();
      await settled.waitFor();
    } while ((await message.getAttribute("data-status")) === "failed");
  }

  /** Waits until the log shows exactly this, in order: "me: …" or "them: …" a message. */
  async shows(expected) {
    // The page's policy forbids what waitForFunction does; an observer needs no polling either.
    const shown = this.page.evaluate(untilShown, { expected: JSON.stringify(expected), patience: PATIENCE });
    const found = await within(2 * PATIENCE, "the page answers", shown);
    assert.deepEqual(found, expected);
  }

  async presence(name, presence) {
    await this.entry(name).locator(`.dot[data-presence="${presence}"]`).waitFor();
  }

  async screenshot(name) {
    await this.page.screenshot({ path: path.join(SCREENSHOTS, `${name}.png`), animations: "disabled" });
  }
}

/** Runs in the page: its messages, as soon as they are as expected, or when time is over. */
function untilShown({ expected, patience }) {
  const lines = () =>
    [...document.querySelectorAll("#log .message")].map((message) => {
      const author = message.classList.contains("own") ? "me" : "them";
      return `${author}: ${message.querySelector(".text").textContent}`;
    });
  return new Promise((resolve) => {
    const settle = () => {
      clearTimeout(timer);
      observer.disconnect();
      resolve(lines());
    };
    const check = () => JSON.stringify(lines()) === expected && settle();
    const observer = new MutationObserver(check);
    const timer = setTimeout(settle, patience);
    observer.observe(document.body, { subtree: true, childList: true, characterData: true });
    check();
  });
}
