// SPDX-License-Identifier: Apache-2.0

/**
 * Creates an element. A function among the attributes listens to the event of its name; children
 * that are no nodes become text, never markup.
 */
export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'function') {
      node.addEventListener(key, value);
    } else if (value !== false && value !== null && value !== undefined) {
      node.setAttribute(key, value === true ? '' : value);
    }
  }
  node.append(...children);
  return node;
}

const SVG = 'http://www.w3.org/2000/svg';

/** One of the symbols of index.html. */
export function icon(id) {
  const svg = document.createElementNS(SVG, 'svg');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `#i-${id}`);
  svg.setAttribute('aria-hidden', 'true');
  svg.append(use);
  return svg;
}

/** Sets a node's text; an unchanged one costs no layout. */
export function setText(node, text) {
  if (node.textContent !== text) {
    node.textContent = text;
  }
}

export const byId = (id) => document.getElementById(id);

/**
 * Makes a canvas as sharp as the screen.
 *
 * @returns its 2D context, cleared, in CSS pixels
 */
export function crispContext(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const deviceWidth = Math.max(1, Math.round(width * ratio));
  const deviceHeight = Math.max(1, Math.round(height * ratio));
  if (canvas.width !== deviceWidth || canvas.height !== deviceHeight) {
    canvas.width = deviceWidth;
    canvas.height = deviceHeight;
  }
  const context = canvas.getContext('2d');
  context.setTransform(deviceWidth / width, 0, 0, deviceHeight / height, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}
