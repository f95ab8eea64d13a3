// Runs the tests in folders: `node test.mjs [FOLDER…]`, all of them if none is named. Node 18 has no `--test-timeout`, and Node 22 takes no folders.
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { run } from "node:test";
import { spec as Spec } from "node:test/reporters";
import { fileURLToPath } from "node:url";

/** ms that the tests of one file may take: each test ends by itself long before. */
const LIMIT = 400_000;
const here = dirname(fileURLToPath(import.meta.url));
const folders = process.argv.length > 2 ? process.argv.slice(2) : ["client/tests", "tests"];

const files = folders.flatMap((folder) => {
  const names = readdirSync(join(here, folder)).filter((name) => /\.test\.m?js$/.test(name));
  if (names.length === 0) throw new Error(`${folder} has no tests`);
  return names.sort().map((name) => join(here, folder, name));
});

// One file after the other: what runs beside them must not starve.
const results = run({ files, concurrency: 1, timeout: LIMIT });
results.on("test:fail", () => (process.exitCode = 1));
results.compose(new Spec()).pipe(process.stdout);
