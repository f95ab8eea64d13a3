/** What was seen lately, in bounded room. */
import type { Timers } from "./timers.js";
/** Keeps values for some time, at most so many: the oldest go first. */
export declare class Memory<Value> {
    #private;
    private readonly timers;
    private readonly most;
    /** ms */
    private readonly age;
    constructor(timers: Timers, most: number, 
    /** ms */
    age: number);
    get(key: string): Value | undefined;
    set(key: string, value: Value): void;
    delete(key: string): void;
    clear(): void;
}
