// SPDX-License-Identifier: Apache-2.0

/** What was measured in the last minute. */
export class Rolling {
  #samples = [];
  #spanMs;

  constructor(spanMs = 60_000) {
    this.#spanMs = spanMs;
  }

  add(value, now = performance.now()) {
    this.#samples.push([now, value]);
    // Cut in strides: shifting an array for each picture would cost more than it keeps.
    if (this.#samples.length % 256 === 0) {
      this.#cut(now);
    }
  }

  /** @returns the values at these shares, by nearest rank; null where there are none */
  quantiles(...shares) {
    this.#cut(performance.now());
    const sorted = this.#samples.map(([, value]) => value).sort((a, b) => a - b);
    return shares.map((share) =>
      sorted.length === 0 ? null : sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)],
    );
  }

  /** @returns the sum of the values of the last so many milliseconds, a second */
  perSecond(lastMs = 3_000) {
    const from = performance.now() - lastMs;
    let sum = 0;
    for (let i = this.#samples.length - 1; i >= 0 && this.#samples[i][0] >= from; i--) {
      sum += this.#samples[i][1];
    }
    return (sum * 1000) / lastMs;
  }

  #cut(now) {
    const first = this.#samples.findIndex(([time]) => time >= now - this.#spanMs);
    this.#samples = first < 0 ? [] : this.#samples.slice(first);
  }
}
