// SPDX-License-Identifier: Apache-2.0
import { classColour, inClassOrder } from './classes.js';
import { crispContext } from './dom.js';

const SECONDS = 60;

/** To be read on light ground and on dark. */
const BAR = '#8294a8';
const BAD_BAR = '#e5534b';
const NO_EVENT_BAR = 'rgb(130 148 168 / 0.4)';

/**
 * What a camera saw in the last minute, by class. The server's counts are all there is of the time
 * before this page was opened, but know of no least confidence.
 */
export function seenLastMinute(camera, viewState, now) {
  return viewState.minConfidence > 0
    ? camera.lastMinute.series(viewState, now)
    : countedByServer(camera.state, viewState);
}

function countedByServer(state, viewState) {
  const events = state.bucket_events ?? [];
  return Object.entries(state.counts ?? {})
    .filter(([label]) => viewState.acceptsLabel(label))
    .sort(([a], [b]) => inClassOrder(a, b))
    .map(([label, counts]) => ({
      label,
      perSecond: counts.map((objects, i) => (objects === 0 ? 0 : objects / (events[i] || 1))),
    }));
}

/** Classes stacked on each other, a bar a second. */
export function drawStacked(canvas, series, width, height) {
  const context = crispContext(canvas, width, height);
  const total = new Array(SECONDS).fill(0);
  series.forEach(({ perSecond }) => perSecond.forEach((value, i) => (total[i] += value)));
  const top = Math.max(4, ...total);
  const bar = width / SECONDS;
  const base = new Array(SECONDS).fill(height);
  for (const { label, perSecond } of series) {
    context.fillStyle = classColour(label);
    perSecond.forEach((value, i) => {
      const size = (value / top) * (height - 1);
      base[i] -= size;
      context.fillRect(i * bar, base[i], Math.max(1, bar - 0.75), size);
    });
  }
}

/** One class: an area with its line. */
export function drawLine(canvas, { label, perSecond }, top, width, height) {
  const context = crispContext(canvas, width, height);
  const step = width / (SECONDS - 1);
  const y = (value) => height - 1.5 - (value / top) * (height - 3);
  context.beginPath();
  perSecond.forEach((value, i) => context.lineTo(i * step, y(value)));
  context.strokeStyle = classColour(label);
  context.lineWidth = 1.5;
  context.lineJoin = 'round';
  context.stroke();
  context.lineTo(width, height);
  context.lineTo(0, height);
  context.closePath();
  context.globalAlpha = 0.22;
  context.fillStyle = classColour(label);
  context.fill();
  context.globalAlpha = 1;
}

/** A window of frames: as many objects as each has, a dead letter from top to bottom. */
export function drawWindow(canvas, frames, objectsOf, width, height) {
  const context = crispContext(canvas, width, height);
  const bar = width / Math.max(1, frames.length);
  const counts = frames.map(objectsOf);
  const top = Math.max(4, ...counts);
  frames.forEach((frame, i) => {
    const size = frame.dead_letter ? height : 1 + (counts[i] / top) * (height - 1);
    context.fillStyle = frame.dead_letter ? BAD_BAR : frame.event ? BAR : NO_EVENT_BAR;
    context.fillRect(i * bar, height - size, Math.max(1, bar - (bar > 3 ? 1 : 0)), size);
  });
}
