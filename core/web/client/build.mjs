// Makes a folder (dist) of src: `node build.mjs [FOLDER]`. An old one goes first, so that nothing is left of files that are no more.
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const folder = process.argv[2] ?? join(here, "dist");
const typescript = createRequire(import.meta.url).resolve("typescript/package.json");
rmSync(folder, { recursive: true, force: true });
execFileSync(process.execPath, [join(dirname(typescript), "bin", "tsc"), "-p", here, "--outDir", folder], { stdio: "inherit" });
