// A wire between a tab and the server that can be cut.
import { once } from "node:events";
import net from "node:net";
import { within } from "./within.js";

export class Proxy {
  #listener;
  #sockets = new Set();
  #isOpen = true;

  static async to(port) {
    const proxy = new Proxy();
    proxy.#listener = net.createServer((client) => proxy.#accept(client, port));
    proxy.#listener.listen(0, "127.0.0.1");
    await once(proxy.#listener, "listening");
    proxy.url = `http://127.0.0.1:${proxy.#listener.address().port}/`;
    return proxy;
  }

  /** Ends all that is connected; what comes next gets through. */
  cut() {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Nothing gets through any more. */
  close() {
    this.#isOpen = false;
    this.cut();
  }

  open() {
    this.#isOpen = true;
  }

  async stop() {
    this.cut();
    this.#listener.close();
    await within(10_000, "all wires are down", once(this.#listener, "close"));
  }

  #accept(client, port) {
    if (!this.#isOpen) {
      client.destroy();
      return;
    }
    const server = net.connect(port, "127.0.0.1");
    for (const [from, to] of [[client, server], [server, client]]) {
      this.#sockets.add(from);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  }
}
