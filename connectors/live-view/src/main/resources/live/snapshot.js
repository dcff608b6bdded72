// SPDX-License-Identifier: Apache-2.0
import { element } from './dom.js';
import { drawObjects, fit, overlayStyle } from './overlay.js';
import { acceptedObjects } from './picture.js';

/** Saves a shown frame with its boxes as a PNG of the picture's own size. */
export async function saveSnapshot({ header, blob }, viewState) {
  const bitmap = await createImageBitmap(blob);
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext('2d');
  context.drawImage(bitmap, 0, 0);
  const place = fit(header.event?.image ?? bitmap, bitmap.width, bitmap.height);
  const style = { ...overlayStyle(bitmap.width), confidence: true, crowd: true };
  drawObjects(context, acceptedObjects(header, viewState), place, style);
  bitmap.close();
  save(await canvas.convertToBlob({ type: 'image/png' }), snapshotName(header));
}

/** cam-1_2026-11-23T14-03-12.345Z.png; no character of a camera's id may mean anything to a file system. */
export function snapshotName({ camera, capture_time_ms: time }) {
  const id = camera.replace(/[^\p{L}\p{N}_.-]+/gu, '-').replace(/^[.-]+/, '').slice(0, 80);
  return `${id || 'camera'}_${new Date(time).toISOString().replaceAll(':', '-')}.png`;
}

function save(blob, name) {
  const url = URL.createObjectURL(blob);
  element('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
