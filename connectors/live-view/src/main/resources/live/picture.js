// SPDX-License-Identifier: Apache-2.0
import { crispContext, element } from './dom.js';
import { drawObjects, fit, overlayStyle } from './overlay.js';

/** A picture that is shown so much larger or smaller than it was decoded for is decoded again. */
const MARKEDLY = 1.25;

const waiting = new Set();
const afterPaint = new MessageChannel();
let paintedPictures = [];
let frameAsked = false;

/** All pictures of one screen refresh are painted together; then it is known when they were seen. */
function askForPaint(picture) {
  waiting.add(picture);
  if (!frameAsked) {
    frameAsked = true;
    requestAnimationFrame(() => {
      frameAsked = false;
      const pictures = [...waiting];
      waiting.clear();
      pictures.forEach((each) => each.paint());
      paintedPictures.push(...pictures);
      afterPaint.port2.postMessage(null); // runs when the browser has rendered this
    });
  }
}

afterPaint.port1.onmessage = () => {
  const pictures = paintedPictures;
  paintedPictures = [];
  const now = Date.now();
  pictures.forEach((picture) => picture.seen(now));
};

/**
 * A picture with the boxes of the same frame over it. Decoding runs beside the page's thread; of
 * frames that come faster than that, the newest is shown.
 */
export class Picture {
  /** The frame on the screen: {header, blob}. */
  shown = null;

  #canvas = element('canvas', { class: 'picture', width: 16, height: 9, 'aria-hidden': 'true' });
  #boxes = element('canvas', { class: 'boxes', 'aria-hidden': 'true' });
  #context = this.#canvas.getContext('bitmaprenderer');
  #listener;
  #holder;
  #viewState;
  #small;
  #resizing;
  #next = null;
  #decoding = false;
  #round = 0; // raised where what is under way must not be shown
  #decoded = null;
  #width = 0;
  #height = 0;
  #decodedWidth = Number.POSITIVE_INFINITY; // that what is shown was decoded for
  #dirty = false;
  #unseen = null; // painted, but perhaps not on the screen yet

  /**
   * @param listener its methods: shown(frame, decodable), seen(frame, nowMs) once it is on the
   *     screen, skipped() for a frame that a newer one overtook
   * @param small whether a picture is kept about as large as it is shown
   */
  constructor(holder, viewState, listener, small = false) {
    this.#viewState = viewState;
    this.#small = small;
    this.#listener = listener;
    holder.append(this.#canvas, this.#boxes);
    this.#holder = holder;
    this.#resizing = new ResizeObserver(([entry]) => {
      this.#width = entry.contentRect.width;
      this.#height = entry.contentRect.height;
      this.redraw();
    });
    this.#resizing.observe(holder);
  }

  /** @param frame {header, blob, dealtWith: called when it was decoded or given up} */
  offer(frame) {
    if (this.#next !== null) {
      this.#next.dealtWith();
      this.#listener.skipped();
    }
    this.#next = frame;
    if (!this.#decoding) {
      this.#decodeAll();
    }
  }

  /** Keeps to what is shown: what is under way is given up. */
  hold() {
    this.#round++;
    this.#next?.dealtWith();
    this.#next = null;
    this.#decoded?.bitmap?.close();
    this.#decoded = null;
  }

  /** Forgets what is shown or under way. */
  clear() {
    this.hold();
    this.shown = null;
    this.#transfer(null);
    this.redraw();
  }

  close() {
    this.clear();
    this.#resizing.disconnect();
  }

  /** Draws the boxes again: the filter or the size is another. */
  redraw() {
    this.#dirty = true;
    askForPaint(this);
  }

  async #decodeAll() {
    this.#decoding = true;
    while (this.#next !== null) {
      const frame = this.#next;
      const round = this.#round;
      this.#next = null;
      const width = this.#widthFor(frame);
      const size = Number.isFinite(width) ? { resizeWidth: width, resizeQuality: 'medium' } : {};
      const bitmap = await createImageBitmap(frame.blob, size).catch(() => null);
      frame.dealtWith();
      if (round !== this.#round) {
        bitmap?.close();
        continue;
      }
      this.#decoded?.bitmap?.close();
      this.#decoded = { frame, bitmap, width };
      askForPaint(this);
    }
    this.#decoding = false;
  }

  /**
   * Pictures of a wall, kept in full, would take a browser's memory. How large a frame is, only its
   * event says.
   */
  #widthFor({ header }) {
    if (!this.#small || !this.#hasSize) {
      return Number.POSITIVE_INFINITY;
    }
    const image = header.event?.image;
    const shown = image ? image.width * fit(image, this.#width, this.#height).scale : this.#width;
    const width = Math.ceil(shown * window.devicePixelRatio);
    return width < (image?.width ?? Number.POSITIVE_INFINITY) ? width : Number.POSITIVE_INFINITY;
  }

  get #hasSize() {
    return this.#width > 0 && this.#height > 0;
  }

  /** The next frame of a slow camera may be long in coming. */
  #decodeAgain() {
    if (this.shown === null || this.#decoding || !this.#hasSize) {
      return;
    }
    const width = this.#widthFor(this.shown);
    if (width > this.#decodedWidth * MARKEDLY || width * MARKEDLY < this.#decodedWidth) {
      this.offer({ ...this.shown, dealtWith() {}, again: true });
    }
  }

  paint() {
    if (this.#decoded !== null) {
      const { frame, bitmap, width } = this.#decoded;
      this.#decoded = null;
      this.shown = frame;
      this.#holder.dataset.key = frame.header.key;
      this.#transfer(bitmap);
      this.#decodedWidth = width;
      this.#listener.shown(frame, bitmap !== null);
      this.#unseen = frame.again ? this.#unseen : frame;
      this.#dirty = true;
    }
    if (this.#dirty) {
      this.#dirty = false;
      this.#drawBoxes();
    }
    this.#decodeAgain();
  }

  /** Closes the bitmap; with null nothing is shown. */
  #transfer(bitmap) {
    const { width, height } = bitmap ?? this.#canvas;
    // The canvas lies in its holder by its own size, whatever the size of the bitmap in it.
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
    }
    this.#context.transferFromImageBitmap(bitmap);
  }

  seen(now) {
    if (this.#unseen !== null) {
      this.#listener.seen(this.#unseen, now);
      this.#unseen = null;
    }
  }

  #drawBoxes() {
    if (!this.#hasSize) {
      return;
    }
    const context = crispContext(this.#boxes, this.#width, this.#height);
    if (this.shown?.header.event) {
      const { image } = this.shown.header.event; // its pixels are the boxes'
      const place = fit(image, this.#width, this.#height);
      const objects = acceptedObjects(this.shown.header, this.#viewState);
      drawObjects(context, objects, place, overlayStyle(image.width * place.scale));
    }
  }
}

export const acceptedObjects = (header, viewState) =>
  header.event ? header.event.objects.filter((object) => viewState.accepts(object)) : [];
