// The real server in a process and a folder of its own, and a wire to it that can be cut.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile, mkdir } from "node:fs/promises";
import { createConnection, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "../../../../..");

/** The program: as the variable RTCD says, or the one that `cargo build` has made. */
export const RTCD = process.env.RTCD ?? join(root, "target/debug/rtcd");

/** Ports of its own, and none is refused because the machine is slow (nor, further down, because its disk is). */
const SETTINGS = { rtc: { listen: "127.0.0.1:0" }, api: { listen: "127.0.0.1:0" }, limits: { overload: "0s" } };

/** A server with the routes of the program. */
export class Server {
  #child;
  #folder;

  /** Starts it, and waits until it listens. `settings` go over those of a test. */
  static async start(settings = {}) {
    const server = new Server();
    server.#folder = await mkdtemp(join(tmpdir(), "rtcd-client-"));
    await mkdir(join(server.#folder, "conf"));
    const all = { ...SETTINGS };
    for (const [section, values] of Object.entries(settings)) all[section] = { ...all[section], ...values };
    await writeFile(join(server.#folder, "conf/rtcd.yaml"), JSON.stringify(all)); // JSON is YAML
    await writeFile(join(server.#folder, "conf/store.yaml"), "timeout: 20s\n");
    await server.#run();
    return server;
  }

  async #run() {
    const child = spawn(RTCD, [], { cwd: this.#folder, stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (said += text));
    await new Promise((resolve, reject) => {
      child.stdout.on("data", () => said.includes("Ctrl-C") && resolve());
      child.once("exit", () => reject(new Error(`it did not start: ${said}`)));
      child.once("error", reject);
    });
    const address = (scheme) => new RegExp(`${scheme}://([^/\\s]+)`).exec(said)[1];
    this.rtc = address("ws");
    this.api = address("http");
  }

  get url() {
    return `ws://${this.rtc}/rtc`;
  }

  /** Ends it as nothing else could, and starts it again on the same ports. */
  async killAndRestart() {
    await this.#end("SIGKILL");
    const settings = { ...SETTINGS, rtc: { listen: this.rtc }, api: { listen: this.api } };
    await writeFile(join(this.#folder, "conf/rtcd.yaml"), JSON.stringify(settings));
    await this.#run();
  }

  async stop() {
    await this.#end("SIGTERM");
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #end(signal) {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill(signal);
    await ended;
  }
}

/** A wire to a server, which can be cut, and can lose what goes over it. */
export class Wire {
  #pairs = new Set();
  #server;
  /** While it is true, what goes is not passed on, nor what comes. */
  isSilent = false;

  static async to(address) {
    const [host, port] = address.split(":");
    const wire = new Wire();
    wire.#server = createServer((near) => {
      const far = createConnection({ host, port: Number(port) });
      const pair = [near, far];
      wire.#pairs.add(pair);
      for (const [from, to] of [[near, far], [far, near]]) {
        from.on("data", (bytes) => wire.isSilent || to.write(bytes));
        from.on("error", () => {});
        from.on("close", () => {
          wire.#pairs.delete(pair);
          to.destroy();
        });
      }
    });
    wire.#server.listen(0, "127.0.0.1");
    await once(wire.#server, "listening");
    return wire;
  }

  get url() {
    return `ws://127.0.0.1:${this.#server.address().port}/rtc`;
  }

  /** All connections end as if a cable was pulled and put back. */
  cut() {
    for (const [near, far] of this.#pairs) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
  }

  async stop() {
    this.cut();
    this.#server.close();
    await once(this.#server, "close");
  }
}

/** The next time that this happens, and is what is looked for. */
export function next(emitter, name, matches = () => true) {
  return new Promise((resolve) => {
    const off = emitter.on(name, (value, more) => {
      if (!matches(value, more)) return;
      off();
      resolve(value);
    });
  });
}
