// SPDX-License-Identifier: Apache-2.0

/**
 * Okabe and Ito's colours, which colour-blind eyes tell apart as well, in an order that gives the
 * common road users (among COCO's first eight classes) one each. Later classes share them with other dashes.
 */
const PALETTE = [
  '#56b4e9', // person
  '#f0e442', // bicycle
  '#e69f00', // car
  '#cc79a7', // motorcycle
  '#7f8ff4',
  '#00b384', // bus
  '#b9c0c8',
  '#f0642d', // truck
];
const DASHES = [[], [7, 3], [2, 3]];

const ids = new Map();

/** Learns which label has which class id: what is counted comes by its label alone. */
export function learnClasses(objects) {
  for (const object of objects) {
    if (!ids.has(object.label)) {
      ids.set(object.label, object.class_id);
    }
  }
}

/** The class id of a label; a number of its own where no event has told it. */
export function classId(label) {
  const known = ids.get(label);
  if (Number.isInteger(known) && known >= 0) {
    return known;
  }
  let hash = 0;
  for (const char of label) {
    hash = (hash * 31 + char.codePointAt(0)) % 65_521;
  }
  return hash;
}

export const classColour = (label) => PALETTE[classId(label) % PALETTE.length];

export const classDash = (label) =>
  DASHES[Math.floor(classId(label) / PALETTE.length) % DASHES.length];

export const inClassOrder = (a, b) => classId(a) - classId(b) || (a < b ? -1 : a > b ? 1 : 0);

/** How many of each label: a Map in the order of the classes. */
export function countByLabel(objects) {
  const counts = new Map();
  for (const { label } of objects) {
    counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  return new Map([...counts].sort(([a], [b]) => inClassOrder(a, b)));
}
