// SPDX-License-Identifier: Apache-2.0
import { inClassOrder } from './classes.js';

const SECONDS = 60;

/** As fine as the slider: how many objects reach a confidence is kept for each step of it. */
const STEPS = 20;

const stepOf = (confidence) => Math.max(0, Math.min(STEPS - 1, Math.floor(confidence * STEPS + 1e-6)));

/** What a camera saw in each second of the last minute, for any least confidence. */
export class LastMinute {
  #seconds = new Map(); // {events, labels: Map of label to objects by step of confidence}

  /** @param now of the server's clock */
  add(objects, now) {
    const second = Math.floor(now / 1000);
    let seen = this.#seconds.get(second);
    if (seen === undefined) {
      seen = { events: 0, labels: new Map() };
      this.#seconds.set(second, seen);
      [...this.#seconds.keys()]
        .filter((each) => each <= second - SECONDS)
        .forEach((each) => this.#seconds.delete(each));
    }
    seen.events++;
    for (const { label, confidence } of objects) {
      if (!seen.labels.has(label)) {
        seen.labels.set(label, new Uint32Array(STEPS));
      }
      seen.labels.get(label)[stepOf(confidence)]++;
    }
  }

  /**
   * What passes the filter.
   *
   * @returns [{label, perSecond: objects in view on average of each second's events, oldest first}]
   */
  series(viewState, now) {
    const last = Math.floor(now / 1000);
    const from = stepOf(viewState.minConfidence);
    const labels = new Map();
    for (const [second, seen] of this.#seconds) {
      const i = SECONDS - 1 - (last - second);
      for (const [label, bySteps] of i >= 0 && i < SECONDS ? seen.labels : []) {
        const objects = bySteps.subarray(from).reduce((sum, number) => sum + number, 0);
        if (objects > 0 && viewState.acceptsLabel(label)) {
          if (!labels.has(label)) {
            labels.set(label, new Array(SECONDS).fill(0));
          }
          labels.get(label)[i] = objects / seen.events;
        }
      }
    }
    return [...labels]
      .sort(([a], [b]) => inClassOrder(a, b))
      .map(([label, perSecond]) => ({ label, perSecond }));
  }
}
