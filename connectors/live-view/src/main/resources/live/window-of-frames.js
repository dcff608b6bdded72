// SPDX-License-Identifier: Apache-2.0
import { asStored } from './orientation.js';

/** The frames of one camera that the server still has, oldest first, and their pictures. */
export class WindowOfFrames {
  frames = [];
  #camera;
  #most;
  #meanwhile = null; // came live while the server is asked: {frames, events}; null where it is not
  #fetching = null;

  constructor(camera, most) {
    this.#camera = camera;
    this.#most = most;
  }

  /** Asks the server what it has; of several questions the last one's answer counts. */
  async load() {
    const meanwhile = { frames: [], events: [] };
    this.#meanwhile = meanwhile;
    try {
      const frames = await this.#list();
      if (meanwhile === this.#meanwhile) {
        this.#meanwhile = null;
        const newer = meanwhile.frames.filter(({ key }) => frames.every((frame) => frame.key !== key));
        this.frames = [...frames, ...newer].slice(-this.#most);
        meanwhile.events.forEach(({ key, event }) => this.complete(key, event));
      }
    } finally {
      if (meanwhile === this.#meanwhile) {
        this.#meanwhile = null;
      }
    }
  }

  async #list() {
    const query = new URLSearchParams({ camera: this.#camera });
    const response = await fetch(`api/frames?${query}`, { cache: 'no-store' });
    if (!response.ok) {
      throw new Error(`the server answered ${response.status}`);
    }
    return response.json();
  }

  /** A frame has come live; one that the server's list has already may come after it. */
  append({ key, capture_time_ms, event, dead_letter, dropped }) {
    if (this.indexOf(key) < 0) {
      const frame = { key, capture_time_ms, event, dead_letter, dropped };
      this.frames.push(frame);
      this.frames.splice(0, Math.max(0, this.frames.length - this.#most));
      this.#meanwhile?.frames.push(frame);
    }
  }

  /** The event of a frame that came without it. */
  complete(key, event) {
    this.#meanwhile?.events.push({ key, event });
    const frame = this.frames[this.indexOf(key)];
    if (frame !== undefined) {
      frame.event = event;
    }
  }

  indexOf(key) {
    return this.frames.findIndex((frame) => frame.key === key);
  }

  /** @returns the picture of a frame; null where the server has it no more */
  async picture({ key }) {
    this.#fetching?.abort();
    this.#fetching = new AbortController();
    const { signal } = this.#fetching;
    const query = new URLSearchParams({ camera: this.#camera, key });
    const response = await fetch(`api/picture?${query}`, { cache: 'no-store', signal });
    if (!response.ok) {
      return null;
    }
    const bytes = new Uint8Array(await response.arrayBuffer());
    return asStored(bytes, response.headers.get('content-type'));
  }
}
