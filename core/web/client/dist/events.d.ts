/** Events with typed handlers. */
/** How handlers took an event. */
export interface Taken {
    /** How many handlers there are. */
    handlers: number;
    /** What those threw that did. */
    thrown: unknown[];
}
/** Keeps handlers and calls them. */
export declare class Emitter<Events extends {
    [name in keyof Events]: unknown[];
}> {
    #private;
    /** Adds a handler. What is given back takes it off again. */
    on<Name extends keyof Events>(name: Name, handler: (...given: Events[Name]) => void): () => void;
    /** Calls the handlers, all of them, whatever one throws. */
    emit<Name extends keyof Events>(name: Name, ...given: Events[Name]): Taken;
}
