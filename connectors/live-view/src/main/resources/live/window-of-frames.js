// SPDX-License-Identifier: Apache-2.0

/** The frames of one camera that the server still has, oldest first, and their pictures. */
export class WindowOfFrames {
  frames = [];
  #path;
  #most;
  #fetching = null;

  constructor(camera, most) {
    this.#path = `api/cameras/${encodeURIComponent(camera)}/frames`;
    this.#most = most;
  }

  /** Asks the server what it has. */
  async load() {
    const response = await fetch(this.#path, { cache: 'no-store' });
    if (!response.ok) {
      throw new Error(`the server answered ${response.status}`);
    }
    this.frames = await response.json();
  }

  /** A frame has come live. */
  append({ key, capture_time_ms, event, dead_letter }) {
    if (this.frames.at(-1)?.key !== key) {
      this.frames.push({ key, capture_time_ms, event, dead_letter });
      this.frames.splice(0, Math.max(0, this.frames.length - this.#most));
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
    const response = await fetch(`${this.#path}/${encodeURIComponent(key)}`, {
      cache: 'no-store',
      signal,
    });
    return response.ok ? response.blob() : null;
  }
}
