// What is committed, what is packed, and what the README says.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Server } from "./support/server.mjs";

const PATIENCE = { timeout: 300_000 };
const here = join(dirname(fileURLToPath(import.meta.url)), "..");
const require = createRequire(import.meta.url);
const ws = dirname(require.resolve("ws/package.json"));
const tsc = join(dirname(require.resolve("typescript/package.json")), "bin/tsc");

/** Runs a program; what it says is in the error if it fails. */
async function run(program, given, cwd) {
  try {
    return (await promisify(execFile)(program, given, { cwd, encoding: "utf8" })).stdout;
  } catch (error) {
    throw new Error(`${error.message}${error.stdout}`);
  }
}

let folder;
before(async () => (folder = await mkdtemp(join(tmpdir(), "rtcd-client-"))));
after(() => rm(folder, { recursive: true, force: true }));

const texts = async (from) => Promise.all((await readdir(from)).sort().map(async (name) => [name, await readFile(join(from, name), "utf8")]));

test("dist is what the source gives", PATIENCE, async () => {
  const made = join(folder, "dist");
  await run(process.execPath, ["build.mjs", made], here);
  assert.deepEqual(await texts(join(here, "dist")), await texts(made), "run `npm run build` in core/web, and commit dist");
});

test("there is no dependency at run time, and no host in what is locked", async () => {
  const { dependencies, peerDependencies, optionalDependencies } = JSON.parse(await readFile(join(here, "package.json"), "utf8"));
  assert.deepEqual([dependencies, peerDependencies, optionalDependencies], [undefined, undefined, undefined]);
  assert.doesNotMatch(await readFile(join(here, "../package-lock.json"), "utf8"), /https?:\/\/(?!registry\.npmjs\.org\/|github\.com\/sponsors|opencollective\.com)/);
  for (const [name, text] of await texts(join(here, "dist"))) {
    for (const [, from] of text.matchAll(/from "([^"]+)"/g)) assert.match(from, /^\.\/[\w-]+\.js$/, name);
  }
});

/** The examples of the README by name. */
async function examples() {
  const readme = await readFile(join(here, "README.md"), "utf8");
  const found = [...readme.matchAll(/<!-- example: (\w+) -->\n```js\n([^]*?)```/g)];
  assert.equal(found.length, readme.match(/^```js$/gm).length, "each example has a name");
  return found.map(([, name, code]) => [name, code]);
}

/** A user of the types. */
const CONSUMER = `
import { Client, RejectedError, type ClientOptions, type Dialog, type Message } from "rtcd-client";
const options: ClientOptions = { url: "ws://localhost:8080/rtc", user: "a@b", device: undefined };
const client = new Client(options);
const off: () => void = client.on("message", (message: Message) => message.date.getTime());
client.on("state", (state, cause) => state === "closed" && cause?.message);
client.on("invite", (call: Dialog) => call.accept());
export const status: Promise<"delivered" | "stored"> = client.message("c@d", {}).then((sent) => sent.status);
export const code = (error: unknown): number => (error instanceof RejectedError ? error.code : 0);
// @ts-expect-error there is no such event
client.on("nothing", off);
// @ts-expect-error nor such a presence
void client.register({ presence: "asleep" });
`;

test("a package is made, installed, and does what the README says", PATIENCE, async (t) => {
  const [{ filename, files }] = JSON.parse(await run("npm", ["pack", "--json", "--pack-destination", folder], here));
  const paths = files.map(({ path }) => path);
  assert.deepEqual(paths.filter((path) => !/^dist\/[\w-]+(\.d\.ts|\.js)$/.test(path)).sort(), ["README.md", "package.json"]);

  const project = await mkdtemp(join(folder, "project-"));
  await writeFile(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
  await run("npm", ["install", "--offline", "--no-audit", "--no-fund", join(folder, filename)], project);
  await symlink(ws, join(project, "node_modules/ws"));

  await t.test("its types", async () => {
    await writeFile(join(project, "consumer.ts"), CONSUMER);
    const common = { strict: true, noEmit: true, target: "es2022", lib: ["es2022", "dom"], types: [] };
    for (const module of [{ module: "nodenext" }, { module: "esnext", moduleResolution: "bundler" }]) {
      await writeFile(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions: { ...common, ...module }, files: ["consumer.ts"] }));
      await run(process.execPath, [tsc], project);
    }
  });

  const server = await Server.start();
  t.after(() => server.stop());
  for (const [name, code] of await examples()) {
    await t.test(`example ${name}`, { timeout: 60_000 }, async () => {
      await writeFile(join(project, `${name}.js`), code.replaceAll("ws://localhost:8080", `ws://${server.rtc}`));
      const said = await run(process.execPath, [`${name}.js`], project);
      // What the README says that it prints.
      for (const [, , printed] of code.matchAll(/^.*console\.log\((.*)\);? *\/\/ (.*)$/gm)) {
        const expected = printed.replace(/^"([^"]*)".*/, "$1");
        assert.ok(said.includes(expected), `${expected} in ${said}`);
      }
    });
  }
});
