// SPDX-License-Identifier: Apache-2.0

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 10_000;

/** The server says something each second; so long a silence means that it is gone. */
const SILENCE_MS = 6_000;

/** The server's word for a viewer too many. */
const TRY_AGAIN_LATER = 1013;

const HEADER_LENGTH_BYTES = 4;
const UTF8 = new TextDecoder();

/**
 * The WebSocket to the server, opened again whenever it is lost, after waits that grow.
 *
 * The listener's methods: hello(message), status(message), event(message), deadLetter(message),
 * frame(header, body, dealtWith), received(bytes), connection(state, retryAt, reason) with state
 * 'connecting', 'open', 'lost' or 'refused'; the reason of a refusal is 'token' (the server wants it)
 * or 'viewers' (it has enough). A frame's dealtWith must be called once, when it was decoded or given
 * up: the server sends a camera's next ones only then.
 */
export class Connection {
  #listener;
  #socket = null;
  #failures = 0;
  #retryTimer = null;
  #lastHeard = 0;
  #shown = null;
  #dealtWith = 0;

  constructor(listener) {
    this.#listener = listener;
    setInterval(() => this.#watch(), 1_000);
    window.addEventListener('online', () => this.retryNow());
    // Kept by the browser for its Back button, a page would keep its place among the viewers, too.
    window.addEventListener('pagehide', () => this.#socket?.close());
  }

  open() {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = null;
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    const socket = new WebSocket(`${scheme}://${location.host}/live`);
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => this.#tell();
    socket.onmessage = ({ data }) => this.#heard(data, socket);
    socket.onclose = ({ code }) => this.#closed(socket, code);
    this.#socket = socket;
    this.#dealtWith = 0;
    this.#lastHeard = performance.now();
  }

  retryNow() {
    if (this.#retryTimer !== null) {
      this.open();
    }
  }

  /**
   * Asks for these cameras' pictures and no others'.
   *
   * @returns whether they are others than before
   */
  show(cameras) {
    const wanted = JSON.stringify({ type: 'show', cameras });
    const changed = wanted !== this.#shown;
    if (changed) {
      this.#shown = wanted;
      this.#tell();
    }
    return changed;
  }

  #tell() {
    if (this.#shown !== null && this.#socket?.readyState === WebSocket.OPEN) {
      this.#socket.send(this.#shown);
    }
  }

  #heard(data, socket) {
    this.#lastHeard = performance.now();
    if (typeof data === 'string') {
      this.#listener.received(data.length);
      this.#dispatch(JSON.parse(data));
    } else {
      this.#listener.received(data.byteLength);
      const length = new DataView(data).getUint32(0);
      const header = UTF8.decode(new Uint8Array(data, HEADER_LENGTH_BYTES, length));
      const body = new Uint8Array(data, HEADER_LENGTH_BYTES + length);
      this.#listener.frame(JSON.parse(header), body, () => this.#acknowledge(socket));
    }
  }

  #acknowledge(socket) {
    if (socket === this.#socket && socket.readyState === WebSocket.OPEN) {
      socket.send(JSON.stringify({ type: 'ack', frames: ++this.#dealtWith }));
    }
  }

  #dispatch(message) {
    switch (message.type) {
      case 'hello':
        this.#listener.connection('open');
        this.#listener.hello(message);
        break;
      case 'status':
        this.#failures = 0;
        this.#listener.status(message);
        break;
      case 'event':
        this.#listener.event(message);
        break;
      case 'dead_letter':
        this.#listener.deadLetter(message);
        break;
      default: // of a newer server
    }
  }

  #watch() {
    if (this.#socket && performance.now() - this.#lastHeard > SILENCE_MS) {
      this.#socket.close();
      this.#closed(this.#socket); // a dead network reports a close only much later
    }
  }

  async #closed(socket, code) {
    if (socket !== this.#socket) {
      return;
    }
    this.#socket = null;
    const delay = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** this.#failures++);
    // Spread, so that many pages do not come back to a started server all at once.
    const wait = delay * (0.75 + 0.5 * Math.random());
    this.#retryTimer = setTimeout(() => this.open(), wait);
    const retryAt = Date.now() + wait;
    if (code === TRY_AGAIN_LATER) {
      this.#listener.connection('refused', retryAt, 'viewers');
      return;
    }
    this.#listener.connection('lost', retryAt);
    if ((await wantsToken()) && this.#socket?.readyState !== WebSocket.OPEN) {
      this.#listener.connection('refused', retryAt, 'token');
    }
  }
}

/** A refused WebSocket does not say why. */
async function wantsToken() {
  try {
    return (await fetch('icon.svg', { cache: 'no-store' })).status === 401;
  } catch {
    return false;
  }
}
