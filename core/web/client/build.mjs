// Makes a folder (dist) of src: `node build.mjs [FOLDER]`. Each file is there at each moment, as it was or as it is now: somebody may be
// reading it. What is no more goes last.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const folder = process.argv[2] ?? join(here, "dist");
const typescript = createRequire(import.meta.url).resolve("typescript/package.json");
mkdirSync(folder, { recursive: true });
// Beside it: files are moved within one disk only.
const made = mkdtempSync(`${folder}-`);
try {
  execFileSync(process.execPath, [join(dirname(typescript), "bin", "tsc"), "-p", here, "--outDir", made], { stdio: "inherit" });
  const files = readdirSync(made);
  for (const name of files) renameSync(join(made, name), join(folder, name));
  for (const name of readdirSync(folder)) if (!files.includes(name)) rmSync(join(folder, name), { recursive: true });
} finally {
  rmSync(made, { recursive: true, force: true });
}
