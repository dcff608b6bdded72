// SPDX-License-Identifier: Apache-2.0
import { CameraDetails } from './camera-details.js';
import { noticeOf, unansweredText } from './camera-tile.js';
import { byId, element, icon, setText } from './dom.js';
import { preciseClock } from './format.js';
import { acceptedObjects, Picture } from './picture.js';
import { drawWindow } from './plot.js';
import { saveSnapshot } from './snapshot.js';
import { WindowOfFrames } from './window-of-frames.js';

/** One camera large: live, or paused at a frame of the window that the server keeps. */
export class CameraView {
  camera = null;

  #viewState;
  #listener;
  #node = byId('large');
  #details;
  #picture;
  #window = null;
  #pausedAt = null; // key of a frame; null: live
  #now = 0;
  #undecodable = null;

  #frame = element('div', { class: 'frame' });
  #notice = element('span', { class: 'notice', hidden: true });
  #said = element('p', { class: 'said', role: 'status', hidden: true });
  #strip = element('canvas', { class: 'strip', 'aria-hidden': 'true' });
  #scrubber;
  #play;
  #live;
  #time = element('time');
  #ago = element('span', { class: 'ago' });

  /** @param listener that of the picture, and paused(): other pictures are wanted of the server */
  constructor(viewState, listener) {
    this.#viewState = viewState;
    this.#listener = listener;
    this.#details = new CameraDetails(viewState);
    this.#build();
    this.#picture = new Picture(this.#frame, viewState, {
      skipped: listener.skipped,
      seen: (frame, now) => (frame.live ? listener.seen(frame, now) : undefined),
      shown: (frame, decodable) => this.#shown(frame, decodable),
    });
    this.#frame.append(this.#notice);
    new ResizeObserver(() => this.#drawWindow()).observe(this.#strip);
  }

  get paused() {
    return this.#pausedAt !== null;
  }

  /** Shows a camera; with a key, paused at that frame where the server still has it. */
  async open(camera, windowFrames, key = null) {
    if (camera !== this.camera) {
      this.camera = camera;
      this.#pausedAt = null;
      this.#undecodable = null;
      this.#window = new WindowOfFrames(camera.id, windowFrames);
      this.#picture.clear();
      this.#say('');
      this.#hide(false);
      this.#writeMode();
    }
    await this.#loadWindow();
    if (key !== null && camera === this.camera) {
      const index = this.#window.indexOf(key);
      if (index >= 0) {
        this.#goTo(index);
      } else {
        this.goLive();
        this.#say('That moment has left the server’s memory: this is live.');
      }
    }
    await this.#showNewest();
  }

  close() {
    this.camera = null;
    this.#pausedAt = null;
    this.#picture.clear();
    this.#hide(true);
  }

  #hide(hidden) {
    this.#node.hidden = hidden;
    this.#details.hidden = hidden;
  }

  /** A frame of this camera has come; paused, what can be stepped through stays as it is. */
  offer(header, blob, dealtWith) {
    if (this.paused || blob === null) {
      dealtWith();
    } else {
      this.#picture.offer({ header, blob, dealtWith, live: true });
    }
    if (!this.paused) {
      this.#window.append(header);
    }
  }

  /** The event of a frame that came without it. */
  complete(key, event) {
    this.#window.complete(key, event);
    const header = this.#picture.shown?.header;
    if (header?.key === key) {
      header.event = event;
      this.#writeFrame();
    }
    this.#picture.redraw();
  }

  /** Once a second, and when the filter changes. */
  update(now) {
    this.#now = now;
    if (this.camera !== null) {
      this.#node.dataset.condition = this.camera.condition;
      this.#details.update(this.camera, now);
      this.#writeFrame();
      this.#drawWindow();
    }
  }

  redraw() {
    this.#picture.redraw();
    this.update(this.#now);
  }

  /** @returns whether the key was one of this view's */
  key(name) {
    const action = {
      ' ': () => this.#togglePause(),
      ',': () => this.#step(-1),
      '.': () => this.#step(1),
      ArrowLeft: () => this.#step(-1),
      ArrowRight: () => this.#step(1),
      Home: () => this.#goTo(0),
      End: () => this.goLive(),
      s: () => this.#snapshot(),
    }[name.length === 1 ? name.toLowerCase() : name];
    action?.();
    return action !== undefined;
  }

  async goLive() {
    if (this.paused) {
      this.#pausedAt = null;
      this.#say('');
      this.#picture.hold();
      this.#writeMode();
      this.#listener.paused();
      await this.#loadWindow();
      await this.#showNewest();
    }
  }

  #togglePause() {
    if (this.paused) {
      this.goLive();
    } else {
      this.#pause();
    }
  }

  /** Stops at the frame on the screen, or the newest where that is no longer known. */
  #pause() {
    const shown = this.#window.indexOf(this.#picture.shown?.header.key);
    const frame = this.#window.frames.at(shown);
    if (frame !== undefined) {
      this.#pausedAt = frame.key;
      this.#picture.hold();
      this.#writeMode();
      this.#listener.paused();
    }
  }

  /** Pauses where it is live. One step on from the newest frame is live again. */
  #step(by) {
    const wasLive = !this.paused;
    if (wasLive) {
      this.#pause();
    }
    if (!this.paused || (wasLive && by > 0)) {
      return;
    }
    const to = this.#window.indexOf(this.#pausedAt) + by;
    if (to < this.#window.frames.length) {
      this.#goTo(Math.max(0, to));
    } else {
      this.goLive();
    }
  }

  async #goTo(index, said = '') {
    const frame = this.#window.frames[index];
    if (frame === undefined) {
      return;
    }
    const { camera, paused } = this;
    const isThere = () => camera === this.camera && this.#pausedAt === frame.key;
    this.#pausedAt = frame.key;
    if (!paused) {
      this.#picture.hold();
      this.#listener.paused();
    }
    this.#say(said);
    this.#writeMode();
    try {
      const blob = await this.#window.picture(frame);
      if (blob !== null && isThere()) {
        this.#offerFetched(frame, blob);
      } else if (isThere()) {
        await this.#goToOldest(isThere);
      }
    } catch (error) {
      if (error.name !== 'AbortError' && isThere()) {
        this.#say('The server does not answer.');
      }
    }
  }

  #offerFetched(frame, blob) {
    const header = { ...frame, camera: this.camera.id, content_type: blob.type };
    this.#picture.offer({ header, blob, dealtWith() {}, live: false });
  }

  /** Where live: of a camera that is silent or slow no picture comes by itself for long. */
  async #showNewest() {
    const { camera } = this;
    const frames = this.#window;
    const newest = frames.frames.at(-1);
    const isMissing = () =>
      camera === this.camera &&
      !this.paused &&
      frames.frames.at(-1)?.key === newest.key &&
      this.#picture.shown?.header.key !== newest.key;
    if (camera !== null && newest !== undefined && isMissing()) {
      const blob = await frames.picture(newest).catch(() => null);
      if (blob !== null && isMissing()) {
        this.#offerFetched(newest, blob);
      }
    }
  }

  /** @param isThere whether the user still looks at the moment that the server has no more */
  async #goToOldest(isThere) {
    await this.#window.load();
    if (!isThere()) {
      return;
    }
    if (this.#window.frames.length > 1) {
      // The very oldest could be gone before it was asked for.
      await this.#goTo(1, 'That moment has left the server’s memory: this is the oldest.');
    } else {
      await this.goLive();
    }
  }

  #snapshot() {
    const { shown } = this.#picture;
    if (shown !== null) {
      saveSnapshot(shown, this.#viewState).catch(() => this.#say('This picture cannot be saved.'));
    }
  }

  async #loadWindow() {
    const loading = this.#window;
    try {
      await loading.load();
    } catch {
      // The banner tells of a lost server; what has come so far can still be stepped through.
    }
    if (loading === this.#window && this.camera !== null) {
      this.#writeMoment();
      this.#drawWindow();
    }
  }

  // --- what is shown

  #shown({ header }, decodable) {
    // Its event may have come while the picture was fetched or decoded.
    header.event ??= this.#window.frames[this.#window.indexOf(header.key)]?.event;
    this.#undecodable = decodable ? null : header;
    this.#node.dataset.key = header.key;
    this.#writeFrame();
    this.#writeMoment();
    this.#drawWindow();
  }

  #say(text) {
    setText(this.#said, text);
    this.#said.hidden = text === '';
  }

  #writeMode() {
    const mode = this.paused ? 'paused' : 'live';
    if (this.#node.dataset.mode !== mode) {
      this.#node.dataset.mode = mode;
      this.#play.replaceChildren(icon(this.paused ? 'play' : 'pause'));
      this.#play.setAttribute('aria-label', this.paused ? 'Go on live (Space)' : 'Pause (Space)');
      this.#live.setAttribute('aria-pressed', String(!this.paused));
    }
    this.#writeMoment();
  }

  #writeMoment() {
    const { frames } = this.#window;
    const position = this.paused ? this.#window.indexOf(this.#pausedAt) : frames.length - 1;
    this.#scrubber.max = String(Math.max(0, frames.length - 1));
    this.#scrubber.value = String(Math.max(0, position));
    const at = (this.paused ? frames[position] : this.#picture.shown?.header)?.capture_time_ms;
    const text = at === undefined ? '' : preciseClock(at);
    setText(this.#time, text);
    this.#scrubber.setAttribute('aria-valuetext', text);
    const newest = this.camera.state.last_capture_ms ?? at;
    const ago = `−${(Math.max(0, newest - at) / 1000).toFixed(1)} s`;
    setText(this.#ago, this.paused && at !== undefined ? ago : '');
  }

  #writeFrame() {
    const header = this.#picture.shown?.header;
    this.#details.showFrame(header);
    const text = this.paused
      ? unansweredText(header)
      : noticeOf(this.camera, this.#node.dataset.condition, this.#now, this.#undecodable);
    setText(this.#notice, text);
    this.#notice.hidden = text === '';
  }

  #drawWindow() {
    const { clientWidth: width, clientHeight: height } = this.#strip;
    if (this.#window === null || width === 0) {
      return;
    }
    const objectsOf = (frame) => acceptedObjects(frame, this.#viewState).length;
    drawWindow(this.#strip, this.#window.frames, objectsOf, width, height);
  }

  #build() {
    this.#scrubber = element('input', {
      type: 'range',
      min: '0',
      max: '0',
      value: '0',
      'aria-label': 'Frame of the window in memory',
      input: () => this.#goTo(Number(this.#scrubber.value)),
    });
    this.#play = button('play', 'pause', 'Pause (Space)', () => this.#togglePause());
    this.#live = element(
      'button',
      { type: 'button', class: 'go-live', click: () => this.goLive() },
      element('i', { class: 'light' }),
      'Live',
    );
    this.#node.append(
      this.#frame,
      element('div', { class: 'timeline' }, this.#strip, this.#scrubber),
      element(
        'div',
        { class: 'transport', role: 'group', 'aria-label': 'Replay' },
        button('to-wall', 'wall', 'All cameras (Esc)', () => this.#viewState.openCamera(null)),
        button('step-back', 'back', 'One frame back (,)', () => this.#step(-1)),
        this.#play,
        button('step-forward', 'forward', 'One frame on (.)', () => this.#step(1)),
        this.#live,
        element('span', { class: 'moment' }, this.#time, ' ', this.#ago),
        button('save', 'snapshot', 'Save this picture with its boxes (S)', () => this.#snapshot()),
      ),
      this.#said,
    );
  }
}

function button(name, symbol, label, click) {
  const attributes = { type: 'button', class: name, click, title: label, 'aria-label': label };
  return element('button', attributes, icon(symbol));
}
