/** Events with typed handlers. */
/** Keeps handlers and calls them. */
export class Emitter {
    #handlers = {};
    /** Adds a handler. What is given back takes it off again. */
    on(name, handler) {
        // Each call adds one more, even of a function that is there already.
        const own = (...given) => handler(...given);
        const handlers = (this.#handlers[name] ??= new Set());
        handlers.add(own);
        return () => void handlers.delete(own);
    }
    /** Calls the handlers, all of them, whatever one throws. */
    emit(name, ...given) {
        const handlers = [...(this.#handlers[name] ?? [])];
        const thrown = [];
        for (const handler of handlers) {
            try {
                handler(...given);
            }
            catch (error) {
                thrown.push(error);
            }
        }
        return { handlers: handlers.length, thrown };
    }
}
