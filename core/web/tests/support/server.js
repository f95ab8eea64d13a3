// rtcd itself, in a process and a folder of its own, on ports of its own.
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import path from "node:path";
import { within } from "./within.js";

const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));
const RTCD = process.env.RTCD ? path.resolve(process.env.RTCD) : path.join(ROOT, "target/debug/rtcd");

/** ms for it to start, and to end. */
const PATIENCE = 30_000;

export class Server {
  /** Starts it and waits until it listens. A `port` is asked for by a server that comes back. */
  static async start(port = 0, folder = null) {
    const server = new Server();
    server.folder = folder ?? (await Server.folder());
    await mkdir(path.join(server.folder, "conf"), { recursive: true });
    // None is refused because the machine, or its disk, is slow.
    const settings = `rtc: {listen: '127.0.0.1:${port}'}\napi: {listen: '127.0.0.1:0'}\nlimits: {overload: 0s}\n`;
    await writeFile(path.join(server.folder, "conf/rtcd.yaml"), settings);
    await writeFile(path.join(server.folder, "conf/store.yaml"), "timeout: 20s\n");
    await server.#run();
    return server;
  }

  static folder() {
    return mkdtemp(path.join(tmpdir(), "rtcd-page-"));
  }

  async #run() {
    const log = await open(path.join(this.folder, "stderr.log"), "a");
    this.process = spawn(RTCD, [], { cwd: this.folder, stdio: ["ignore", "pipe", log.fd] });
    try {
      await once(this.process, "spawn");
      this.ended = once(this.process, "exit");
    } catch (error) {
      throw new Error(`${RTCD} cannot be started (run \`cargo build\`, or name another one in RTCD): ${error.message}`);
    } finally {
      await log.close();
    }
    const said = await within(PATIENCE, "rtcd has started", this.#greeting()).catch((error) => {
      this.process.kill("SIGKILL");
      throw error;
    });
    // What it says at its end must find a reader.
    this.process.stdout.resume();
    const port = /ws:\/\/[^/]*:(\d+)\//.exec(said)?.[1];
    if (!port) this.process.kill("SIGKILL");
    if (!port) throw new Error(`rtcd did not start: ${said}${await readFile(path.join(this.folder, "stderr.log"), "utf8")}`);
    this.port = Number(port);
    this.url = `http://127.0.0.1:${port}/`;
  }

  /** All that it says until it listens, or ends. */
  async #greeting() {
    let said = "";
    for await (const line of createInterface({ input: this.process.stdout })) {
      said += `${line}\n`;
      if (line.includes("Ctrl-C")) break;
    }
    return said;
  }

  /** Ends it at once, as a failure of the machine would. */
  async kill() {
    this.process.kill("SIGKILL");
    await this.ended;
  }

  /** The same server again: its port, its folder. */
  async again() {
    return Server.start(this.port, this.folder);
  }

  async stop() {
    this.process.kill("SIGTERM");
    try {
      await within(PATIENCE, "rtcd has ended", this.ended);
    } finally {
      this.process.kill("SIGKILL");
    }
    await rm(this.folder, { recursive: true, force: true });
  }
}
