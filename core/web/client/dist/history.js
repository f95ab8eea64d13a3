/** What the server has stored, over its HTTP API `im.v1`. */
import { HttpError } from "./errors.js";
/** ms for one answer. */
const TIMEOUT = 10_000;
/** See the module. */
export class History {
    apiUrl;
    fetch;
    tokens;
    timers;
    constructor(apiUrl, fetch, tokens, timers) {
        this.apiUrl = apiUrl;
        this.fetch = fetch;
        this.tokens = tokens;
        this.timers = timers;
    }
    async history(with_, page) {
        const answer = await this.#call(`history/${encodeURIComponent(with_)}`, page);
        const messages = array(answer.messages).map(readMessage);
        return { messages: messages.sort((a, b) => a.seq - b.seq), next: cursor(answer.next) };
    }
    async conversations(page) {
        const answer = await this.#call("conversations", page);
        const conversations = array(answer.conversations).map((one) => {
            const { with: with_, last, unread } = one;
            return { with: with_, last: readMessage(last), unread: unread ?? 0 };
        });
        return { conversations, next: cursor(answer.next) };
    }
    /** With one more try, if the token is not good any more. */
    async #call(path, page) {
        const query = new URLSearchParams();
        for (const [name, value] of Object.entries(page))
            if (value !== undefined)
                query.set(name, String(value));
        const asked = String(query); // `size` is too new for some browsers
        const url = `${this.apiUrl}/im/v1/${path}${asked === "" ? "" : `?${asked}`}`;
        try {
            return await this.#get(url);
        }
        catch (error) {
            if (!(error instanceof HttpError && error.status === 401))
                throw error;
            await this.tokens.renew();
            return this.#get(url);
        }
    }
    async #get(url) {
        const { token } = this.tokens;
        if (token === undefined)
            throw new HttpError(401, 7, "not registered");
        const abort = new AbortController();
        const deadline = this.timers.setTimeout(() => abort.abort(), TIMEOUT);
        let status = 0;
        let answer;
        try {
            const response = await this.fetch(url, { headers: { Authorization: `Bearer ${token}`, Accept: "application/json" }, signal: abort.signal });
            status = response.status;
            answer = ((await response.json()) ?? {});
        }
        catch (error) {
            throw new HttpError(status, -1, abort.signal.aborted ? "no answer in time" : String(error));
        }
        finally {
            this.timers.clearTimeout(deadline);
        }
        if (status >= 200 && status < 300)
            return answer;
        const { code, msg } = answer;
        throw new HttpError(status, typeof code === "number" ? code : -1, typeof msg === "string" ? msg : `HTTP status ${status}`);
    }
}
function array(value) {
    return Array.isArray(value) ? value : [];
}
function cursor(value) {
    return typeof value === "number" ? value : null;
}
function readMessage(value) {
    const { date, content_type, ...rest } = value;
    return { ...rest, date: new Date(date), contentType: content_type ?? undefined };
}
