/** Requests outside of calls, as the parts of the client send them. */
import { randomId } from "./ids.js";
/** Makes and sends requests of one user. */
export class Asker {
    stack;
    user;
    uri;
    timers;
    constructor(stack, 
    /** Without the device. */
    user, 
    /** With the device. */
    uri) {
        this.stack = stack;
        this.user = user;
        this.uri = uri;
        this.timers = stack.timers;
    }
    /** The request with what was not said. */
    make(method, fields) {
        return {
            ...fields,
            Type: method,
            "Request-URI": fields["Request-URI"] ?? fields.To,
            From: fields.From ?? this.user,
            DialogueID: fields.DialogueID ?? randomId(),
            CSeq: fields.CSeq ?? this.stack.nextCSeq(),
        };
    }
    /** Sends one, and resolves to its final response below 300. */
    ask(method, fields, timeout = this.stack.options.timeout) {
        return this.stack.send(this.make(method, fields), { timeout });
    }
}
