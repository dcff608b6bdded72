// SPDX-License-Identifier: Apache-2.0
import { countByLabel, inClassOrder } from './classes.js';

/** Numbers are medians of so long: an object missed in some frames is no change of what is to be seen. */
const STEADY_MS = 1_000;
const LEAST_FRAMES = 3;

/** A crowd is told of where it grows or shrinks by such a part. */
const NOTABLE_PART = 0.25;

/** Finds in a camera's events when the number of objects of a class has changed. */
export class Changes {
  #frames = []; // that came in the last second: {header, counts, came}
  #told = new Map(); // by label

  /**
   * @param objects of the frame, filtered as the user wants
   * @param came by a clock that nobody sets: a camera's own may step back, or stand still
   * @returns [{label, from, to, header: of the first frame that showed it}]
   */
  observe(header, objects, came = performance.now()) {
    this.#frames.push({ header, counts: countByLabel(objects), came });
    while (this.#frames.length > LEAST_FRAMES && came - this.#frames[0].came > STEADY_MS) {
      this.#frames.shift();
    }
    if (this.#frames.length < LEAST_FRAMES) {
      return [];
    }
    const labels = new Set(this.#told.keys());
    this.#frames.forEach(({ counts }) => [...counts.keys()].forEach((label) => labels.add(label)));
    return [...labels]
      .sort(inClassOrder)
      .map((label) => this.#change(label))
      .filter((change) => change !== null);
  }

  #change(label) {
    const numbers = this.#frames.map(({ counts }) => counts.get(label) ?? 0);
    const from = this.#told.get(label) ?? 0;
    const to = numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
    const fromOrToNone = (from === 0) !== (to === 0);
    if (to === from || (!fromOrToNone && Math.abs(to - from) < from * NOTABLE_PART)) {
      return null;
    }
    this.#told.set(label, to);
    return { label, from, to, header: this.#frames[numbers.indexOf(to)].header };
  }
}
