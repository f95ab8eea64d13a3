/** Events with typed handlers. */

/** How handlers took an event. */
export interface Taken {
  /** How many handlers there are. */
  handlers: number;
  /** What those threw that did. */
  thrown: unknown[];
}

/** Keeps handlers and calls them. */
export class Emitter<Events extends { [name in keyof Events]: unknown[] }> {
  readonly #handlers: { [Name in keyof Events]?: Set<(...given: Events[Name]) => void> } = {};

  /** Adds a handler. What is given back takes it off again. */
  on<Name extends keyof Events>(name: Name, handler: (...given: Events[Name]) => void): () => void {
    // Each call adds one more, even of a function that is there already.
    const own = (...given: Events[Name]) => handler(...given);
    const handlers = (this.#handlers[name] ??= new Set());
    handlers.add(own);
    return () => void handlers.delete(own);
  }

  /** Calls the handlers, all of them, whatever one throws. */
  emit<Name extends keyof Events>(name: Name, ...given: Events[Name]): Taken {
    const handlers = [...(this.#handlers[name] ?? [])];
    const thrown: unknown[] = [];
    for (const handler of handlers) {
      try {
        handler(...given);
      } catch (error) {
        thrown.push(error);
      }
    }
    return { handlers: handlers.length, thrown };
  }
}
