/**
 * In-app messages in the browser: one WebSocket that connects again by itself, gives every message once and in order,
 * acknowledges it, and sends what the user writes until the server has it. No dependencies.
 *
 * @typedef {object} Options
 * @property {string} url Where to connect: `wss://host/rt/TENANT/APP`.
 * @property {string | (() => string | Promise<string>)} token The user's token, or what gets a fresh one.
 * @property {string} [device] The name of this installation; without it one is made and kept in `storage`.
 * @property {boolean} [acknowledge] Whether a message is acknowledged once its listeners are done (true), or by `ack`.
 * @property {Pick<Storage, "getItem" | "setItem"> | null} [storage] Where the device's name is kept; null for nowhere.
 *
 * @typedef {object} Message
 * @property {number} seq Its number; numbers count up and may be missing.
 * @property {string} id What receipts call it.
 * @property {number} at When it was sent, Unix milliseconds.
 * @property {string} [text]
 * @property {string} [thread] The conversation.
 * @property {object} [attachment]
 * @property {object} [extras]
 *
 * @typedef {object} Draft
 * @property {string} [text]
 * @property {string} [thread]
 * @property {object} [attachment]
 * @property {object} [extras]
 */

const PROTOCOL = "heliograph.v1";
const BAD_TOKEN = 4401;
const REPLACED = 4409;
const SHORTEST = 500; // milliseconds before connecting again, doubling
const LONGEST = 30_000;
const SILENCE = 45_000; // after so long without a word the server is asked whether it is there
const PATIENCE = 15_000; // for its answer, and for the welcome

/**
 * Events, each with its frame as `detail`: `open`, `message`, `own` (the user wrote on another device), `seen` (read on
 * another device), `typing`, `closed` (`{code, again}`: in how many milliseconds it is tried again, null for never).
 */
export class Heliograph extends EventTarget {
  /** @type {WebSocket | null} */ #socket = null;
  /** @type {Map<string, {frame: object, resolve: (value: void) => void}>} */ #unsent = new Map();
  #options;
  #device;
  #wanted = false;
  #open = false;
  #last = -1;
  #pause = SHORTEST;
  #timer = 0;
  #watch = 0;

  /** @param {Options} options */
  constructor(options) {
    super();
    this.#options = { acknowledge: true, ...options };
    this.#device = options.device || this.#named();
  }

  /** The name of this installation. */
  get device() {
    return this.#device;
  }

  /** Whether the server has welcomed us. */
  get open() {
    return this.#open;
  }

  /** Connect, and stay connected until `close`. */
  connect() {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#dial();
  }

  /** Go, and do not come back. */
  close() {
    this.#wanted = false;
    clearTimeout(this.#timer);
    this.#socket?.close(1000);
  }

  /**
   * The user writes. Resolves once the server has it on disk; until then it is sent again at every connection.
   * @param {Draft} draft
   * @returns {Promise<void>}
   */
  send(draft) {
    const ref = crypto.randomUUID();
    const frame = { t: "send", ref, ...draft };
    return new Promise((resolve) => {
      this.#unsent.set(ref, { frame, resolve });
      if (this.#open) this.#say(frame);
    });
  }

  /**
   * The user has seen messages.
   * @param {...number} seqs
   */
  read(...seqs) {
    for (let from = 0; from < seqs.length; from += 256) this.#say({ t: "read", seqs: seqs.slice(from, from + 256) });
  }

  /**
   * The device has every message up to a number.
   * @param {number} seq
   */
  ack(seq) {
    this.#say({ t: "ack", seq });
  }

  /**
   * A message cannot be shown.
   * @param {number} seq
   * @param {string} reason
   */
  fail(seq, reason) {
    this.#say({ t: "fail", seq, reason });
  }

  /**
   * The user types, or has stopped.
   * @param {string} [thread]
   * @param {boolean} [on]
   */
  typing(thread = "", on = true) {
    this.#say({ t: "typing", thread, on });
  }

  #named() {
    const storage = this.#options.storage === undefined ? globalThis.localStorage : this.#options.storage;
    const known = storage?.getItem("heliograph.device");
    const name = known || `web-${crypto.randomUUID()}`;
    if (!known) storage?.setItem("heliograph.device", name);
    return name;
  }

  async #dial() {
    const { url, token } = this.#options;
    let given;
    try {
      given = typeof token === "function" ? await token() : token;
    } catch {
      this.#ended(BAD_TOKEN);
      return;
    }
    if (!this.#wanted) return;
    const socket = (this.#socket = new WebSocket(url, PROTOCOL));
    socket.onopen = () => {
      socket.send(JSON.stringify({ t: "hello", token: given, device: this.#device }));
      this.#listen();
    };
    socket.onmessage = (event) => this.#hear(JSON.parse(event.data));
    socket.onclose = (event) => {
      if (this.#socket === socket) this.#ended(event.code);
    };
  }

  /** @param {any} frame */
  #hear(frame) {
    this.#listen();
    if (frame.t === "welcome") this.#welcomed(frame);
    else if (frame.t === "message") this.#take(frame);
    else if (frame.t === "sent") {
      this.#unsent.get(frame.ref)?.resolve();
      this.#unsent.delete(frame.ref);
    } else if (frame.t !== "pong") this.#tell(frame.t, frame);
  }

  /** @param {any} frame */
  #welcomed(frame) {
    this.#open = true;
    this.#pause = SHORTEST;
    this.#last = Math.max(this.#last, frame.seq);
    for (const { frame: waiting } of this.#unsent.values()) this.#say(waiting);
    this.#tell("open", frame);
  }

  /** @param {Message} message */
  #take(message) {
    if (message.seq > this.#last) {
      this.#last = message.seq;
      this.#tell("message", message);
    }
    if (this.#options.acknowledge) this.ack(message.seq);
  }

  /** @param {number} code */
  #ended(code) {
    clearTimeout(this.#watch);
    this.#open = false;
    this.#socket = null;
    const again = this.#wanted && code !== REPLACED ? Math.round(this.#pause * (0.5 + Math.random() / 2)) : null;
    this.#wanted = again !== null;
    this.#tell("closed", { code, again });
    if (again === null) return;
    this.#pause = Math.min(this.#pause * 2, LONGEST);
    this.#timer = setTimeout(() => this.#dial(), again);
  }

  /** A word came: whoever is silent too long is asked, and left when no answer comes. */
  #listen() {
    clearTimeout(this.#watch);
    const leave = () => this.#socket?.close(4000, "no answer");
    this.#watch = this.#open
      ? setTimeout(() => {
          this.#say({ t: "ping" });
          this.#watch = setTimeout(leave, PATIENCE);
        }, SILENCE)
      : setTimeout(leave, PATIENCE);
  }

  /** @param {object} frame */
  #say(frame) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  /**
   * @param {string} type
   * @param {object} detail
   */
  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
