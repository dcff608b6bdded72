// SPDX-License-Identifier: Apache-2.0
import { classColour, classDash } from './classes.js';

const HALO = 'rgb(0 0 0 / 0.55)';
const INK = '#0b0f14';

/** On a small picture a label may be so many times as wide as its box: what is written must not hide what is seen. */
const WIDEST_LABEL = 1.8;

/**
 * Where a picture lies in a space that keeps its aspect: its scale and its edges.
 *
 * @param image {width, height} in source pixels, as the boxes are
 */
export function fit(image, width, height) {
  const scale = Math.min(width / image.width, height / image.height);
  const left = (width - image.width * scale) / 2;
  const top = (height - image.height * scale) / 2;
  return { scale, left, top, right: width - left, bottom: height - top };
}

/**
 * How much is written at the boxes of a picture so many pixels wide, and how large. A snapshot is
 * drawn at the picture's own size and so grows with it.
 */
export function overlayStyle(width) {
  if (width < 240) {
    return { line: 1.25, font: 0, confidence: false, crowd: false };
  }
  if (width < 640) {
    return { line: 1.5, font: 10.5, confidence: width >= 400, crowd: false };
  }
  const factor = Math.max(1, width / 1280);
  return { line: 2 * factor, font: 12 * factor, confidence: true, crowd: true };
}

/** Draws boxes with their labels; the most confident object's label gets the best place. */
export function drawObjects(context, objects, place, style) {
  const boxes = objects.map((object) => ({ object, box: onScreen(object.bbox, place) }));
  context.lineJoin = 'miter';
  for (const { object, box } of boxes.slice().reverse()) {
    drawBox(context, object, box, style);
  }
  if (style.font > 0) {
    drawLabels(context, boxes, place, style);
  }
}

function onScreen(bbox, { scale, left, top }) {
  return {
    x: left + bbox.x * scale,
    y: top + bbox.y * scale,
    width: bbox.width * scale,
    height: bbox.height * scale,
  };
}

function drawBox(context, object, box, style) {
  // Light on dark: it stands out from any picture.
  context.setLineDash([]);
  context.strokeStyle = HALO;
  context.lineWidth = style.line + 1.5;
  context.strokeRect(box.x, box.y, box.width, box.height);
  context.setLineDash(classDash(object.label));
  context.strokeStyle = classColour(object.label);
  context.lineWidth = style.line;
  context.strokeRect(box.x, box.y, box.width, box.height);
  context.setLineDash([]);
}

function drawLabels(context, boxes, place, style) {
  context.font = `600 ${style.font}px system-ui, sans-serif`;
  context.textBaseline = 'middle';
  const taken = [];
  for (const { object, box } of boxes) {
    const most = style.crowd ? Number.POSITIVE_INFINITY : box.width * WIDEST_LABEL;
    const text = labelTexts(object, style).find((each) => widthOf(context, each, style) <= most);
    const width = text === undefined ? 0 : widthOf(context, text, style);
    const height = Math.ceil(style.font * 1.4);
    const spot = width === 0 ? null : labelSpot(box, width, height, place, taken, style.crowd);
    if (spot !== null) {
      taken.push({ ...spot, width, height });
      context.fillStyle = classColour(object.label);
      context.fillRect(spot.x, spot.y, width, height);
      context.fillStyle = INK;
      context.fillText(text, spot.x + style.font * 0.35, spot.y + height / 2 + style.font * 0.04);
    }
  }
}

/** What may be written at a box, the fullest first. */
function labelTexts(object, style) {
  const label = object.label.length > 40 ? `${object.label.slice(0, 39)}…` : object.label;
  return style.confidence ? [`${label} ${object.confidence.toFixed(2)}`, label] : [label];
}

const widthOf = (context, text, style) =>
  Math.ceil(context.measureText(text).width + style.font * 0.7);

/** Above the box, else inside its top, else below; null where all are taken and none must be. */
function labelSpot(box, width, height, place, taken, always) {
  const x = Math.max(place.left, Math.min(box.x, place.right - width));
  const spots = [box.y - height, box.y, box.y + box.height, box.y + box.height - height]
    .filter((y) => y >= place.top && y + height <= place.bottom)
    .map((y) => ({ x, y }));
  const free = spots.find(
    (spot) =>
      !taken.some(
        (other) =>
          spot.x < other.x + other.width &&
          other.x < spot.x + width &&
          spot.y < other.y + other.height &&
          other.y < spot.y + height,
      ),
  );
  return free ?? (always ? (spots[0] ?? { x, y: Math.max(place.top, box.y) }) : null);
}
