// SPDX-License-Identifier: Apache-2.0
import { countByLabel, inClassOrder } from './classes.js';

/** A number must hold for so long: an object missed in some frames is no change of what is to be seen. */
const STEADY_FRAMES = 3;
const STEADY_MS = 1_000;

/** Finds in a camera's events when the number of objects of a class has changed. */
export class Changes {
  #classes = new Map();

  /**
   * @param objects of the frame, filtered as the user wants
   * @returns [{label, from, to, header: of the first frame that showed it}]
   */
  observe(header, objects) {
    const counts = countByLabel(objects);
    const changes = [];
    for (const label of new Set([...this.#classes.keys(), ...counts.keys()])) {
      const change = this.#observeClass(label, counts.get(label) ?? 0, header);
      if (change !== null) {
        changes.push(change);
      }
    }
    return changes.sort((a, b) => inClassOrder(a.label, b.label));
  }

  #observeClass(label, number, header) {
    let known = this.#classes.get(label);
    if (known === undefined) {
      known = { number: 0, next: 0, frames: 0, header };
      this.#classes.set(label, known);
    }
    if (number === known.number) {
      known.frames = 0;
      return null;
    }
    if (known.frames === 0 || number !== known.next) {
      known.next = number;
      known.frames = 0;
      known.header = header;
    }
    const held = header.capture_time_ms - known.header.capture_time_ms;
    if (++known.frames < STEADY_FRAMES || held < STEADY_MS) {
      return null;
    }
    const change = { label, from: known.number, to: number, header: known.header };
    known.number = number;
    known.frames = 0;
    return change;
  }
}
