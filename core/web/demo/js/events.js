/** Tells whoever asked: `on(name, handler)` gives the function that ends it. */
export class Events {
  #handlers = new Map();

  on(name, handler) {
    const handlers = this.#handlers.get(name) ?? new Set();
    this.#handlers.set(name, handlers.add(handler));
    return () => handlers.delete(handler);
  }

  emit(name, ...values) {
    for (const handler of this.#handlers.get(name) ?? []) handler(...values);
  }
}
