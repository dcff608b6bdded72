// SPDX-License-Identifier: Apache-2.0
import { conditionText, countOf, deadLetterText, noticeOf } from './camera-tile.js';
import { classColour, countByLabel } from './classes.js';
import { byId, element, icon, setText } from './dom.js';
import { count, milliseconds, preciseClock } from './format.js';
import { acceptedObjects, Picture } from './picture.js';
import { drawLine, drawWindow, seenLastMinute } from './plot.js';
import { saveSnapshot } from './snapshot.js';
import { WindowOfFrames } from './window-of-frames.js';

const STAGES = ['queue', 'decode', 'letterbox', 'infer', 'postprocess'];

/** One camera large: live, or paused at a frame of the window that the server keeps. */
export class CameraView {
  camera = null;

  #viewState;
  #listener;
  #node = byId('large');
  #details = byId('details');
  #picture;
  #window = null;
  #position = null; // index into the window's frames; null: live
  #now = Date.now();
  #parts = {};
  #undecodable = null;

  /** @param listener that of the picture, and paused(): other pictures are wanted from the server */
  constructor(viewState, listener) {
    this.#viewState = viewState;
    this.#listener = listener;
    this.#build();
    this.#picture = new Picture(this.#parts.frame, viewState, {
      ...listener,
      seen: (frame, now) => (frame.live ? listener.seen(frame, now) : undefined),
      shown: (frame, decodable) => this.#shown(frame, decodable),
    });
    this.#parts.frame.append(this.#parts.notice);
    new ResizeObserver(() => this.#drawWindow()).observe(this.#parts.strip);
  }

  get paused() {
    return this.#position !== null;
  }

  /** Shows a camera; with a key, paused at that frame where the server still has it. */
  async open(camera, windowFrames, key = null) {
    const other = camera !== this.camera;
    this.camera = camera;
    this.#node.hidden = false;
    this.#details.hidden = false;
    if (other) {
      this.#position = null;
      this.#picture.clear();
      this.#undecodable = null;
      this.#window = new WindowOfFrames(camera.id, windowFrames);
      this.#say('');
      setText(this.#parts.name, camera.id);
      this.#writeMode();
    }
    await this.#loadWindow();
    if (key !== null && camera === this.camera) {
      const index = this.#window.indexOf(key);
      if (index >= 0) {
        this.#goTo(index);
      } else {
        this.#say('That moment has left the server’s memory: this is live.');
        this.goLive();
      }
    }
  }

  close() {
    this.camera = null;
    this.#position = null;
    this.#node.hidden = true;
    this.#details.hidden = true;
    this.#picture.clear();
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

  complete(key, event) {
    this.#window.complete(key, event);
    this.#picture.redraw();
  }

  /** Once a second, and when the filter changes. */
  update(now) {
    this.#now = now;
    if (this.camera !== null) {
      this.#writeState();
      this.#writePlots();
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
      ' ': () => this.togglePause(),
      ',': () => this.step(-1),
      '.': () => this.step(1),
      ArrowLeft: () => this.step(-1),
      ArrowRight: () => this.step(1),
      Home: () => this.#goTo(0),
      End: () => this.goLive(),
      s: () => this.snapshot(),
      S: () => this.snapshot(),
    }[name];
    action?.();
    return action !== undefined;
  }

  togglePause() {
    if (this.paused) {
      this.goLive();
    } else {
      this.#pause();
    }
  }

  /** Pauses where it is live; at the newest frame, one step on is live again. */
  step(by) {
    if (!this.paused) {
      this.#pause();
      if (by > 0) {
        return;
      }
    }
    const to = this.#position + by;
    if (to >= this.#window.frames.length) {
      this.goLive();
    } else {
      this.#goTo(Math.max(0, to));
    }
  }

  async goLive() {
    if (this.paused) {
      this.#position = null;
      this.#writeMode();
      this.#listener.paused();
      await this.#loadWindow();
    }
  }

  snapshot() {
    const { shown } = this.#picture;
    if (shown?.blob) {
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
    if (loading === this.#window) {
      this.#drawWindow();
    }
  }

  /** Stops at the frame on the screen. */
  #pause() {
    const { frames } = this.#window;
    if (frames.length > 0) {
      const shown = this.#window.indexOf(this.#picture.shown?.header.key);
      this.#position = shown >= 0 ? shown : frames.length - 1;
      this.#writeMode();
      this.#listener.paused();
    }
  }

  /** @param searched whether an older frame was wanted, which is gone */
  async #goTo(index, searched = false) {
    const frame = this.#window.frames[index];
    if (frame === undefined) {
      return;
    }
    const wasLive = !this.paused;
    this.#position = index;
    this.#writeMode();
    if (wasLive) {
      this.#listener.paused();
    }
    const { camera } = this;
    try {
      const blob = await this.#window.picture(frame);
      if (camera !== this.camera || this.#position !== index) {
        return;
      }
      if (blob === null) {
        await this.#window.load();
        this.#say('That moment has left the server’s memory: this is the oldest.');
        // The very oldest would be gone before it was asked for.
        await (this.#window.frames.length > 1 ? this.#goTo(1, true) : this.goLive());
      } else {
        this.#say(searched ? this.#parts.said.textContent : '');
        const header = { ...frame, camera: camera.id, content_type: blob.type };
        this.#picture.offer({ header, blob, dealtWith() {}, live: false });
      }
    } catch (error) {
      if (error.name !== 'AbortError') {
        this.#say('The server does not answer.');
      }
    }
  }

  #shown({ header, live }, decodable) {
    if (live === this.paused) {
      return; // it was under way when the user paused or went live
    }
    this.#undecodable = decodable ? null : header;
    this.#node.dataset.key = header.key;
    this.#writeFrame();
    this.#writeMode();
    this.#drawWindow();
  }

  #say(text) {
    setText(this.#parts.said, text);
    this.#parts.said.hidden = text === '';
  }

  // --- what is written

  #writeMode() {
    const { frames } = this.#window;
    const { paused } = this;
    const { play, live, scrub, time, ago } = this.#parts;
    this.#node.dataset.mode = paused ? 'paused' : 'live';
    play.replaceChildren(icon(paused ? 'play' : 'pause'));
    play.setAttribute('aria-label', paused ? 'Go on live (Space)' : 'Pause (Space)');
    live.setAttribute('aria-pressed', String(!paused));
    scrub.max = String(Math.max(0, frames.length - 1));
    scrub.value = String(this.#position ?? frames.length - 1);
    const at = paused ? frames[this.#position]?.capture_time_ms : this.#picture?.shown?.header.capture_time_ms;
    setText(time, at ? preciseClock(at) : '');
    scrub.setAttribute('aria-valuetext', at ? preciseClock(at) : '');
    const newest = this.camera?.state.last_capture_ms ?? at;
    setText(ago, paused && at ? `−${((newest - at) / 1000).toFixed(1)} s` : '');
  }

  #writeState() {
    const { camera } = this;
    const condition = camera.condition(this.#now);
    this.#node.dataset.condition = condition;
    this.#details.dataset.condition = condition;
    setText(this.#parts.state, conditionText(camera, condition, this.#now));
    const letter = this.#window.frames[this.#position ?? -1]?.dead_letter;
    const notice = this.paused
      ? letter ? deadLetterText(letter) : ''
      : noticeOf(camera, condition, this.#now, this.#undecodable);
    setText(this.#parts.notice, notice);
    this.#parts.notice.hidden = notice === '';
    const { state } = camera;
    const values = {
      rate: `${(state.frames_per_second ?? 0).toFixed(1)}/s`,
      p50: milliseconds(state.latency_ms?.p50),
      p95: milliseconds(state.latency_ms?.p95),
      frames: count(state.frames),
      events: count(state.events),
      dead: count(state.dead_letters),
      dropped: count(state.dropped),
      unsent: count(state.not_sent),
    };
    for (const [name, value] of Object.entries(values)) {
      setText(this.#parts.values[name], value);
    }
    this.#parts.values.dead.classList.toggle('bad', state.dead_letters > 0);
    this.#parts.values.dropped.classList.toggle('warn', state.dropped > 0);
    this.#parts.values.unsent.classList.toggle('warn', state.not_sent > 0);
  }

  #writePlots() {
    const series = seenLastMinute(this.camera.state, this.#viewState);
    const labels = series.map(({ label }) => label).join('\n');
    if (labels !== this.#parts.labels) {
      this.#parts.labels = labels;
      this.#parts.lines = series.map(({ label }) => plotRow(label));
      this.#parts.plots.replaceChildren(...this.#parts.lines.map(({ node }) => node));
    }
    const top = Math.max(2, ...series.flatMap(({ perSecond }) => perSecond));
    series.forEach((each, i) => {
      const { canvas, value } = this.#parts.lines[i];
      // The last second is still running; the one before it is whole.
      setText(value, each.perSecond.at(-2).toFixed(1));
      if (canvas.clientWidth > 0) {
        drawLine(canvas, each, top, canvas.clientWidth, canvas.clientHeight);
      }
    });
    this.#parts.noPlots.hidden = series.length > 0;
  }

  #writeFrame() {
    const header = this.#picture?.shown?.header;
    const event = header?.event;
    const objects = header ? acceptedObjects(header, this.#viewState) : [];
    setText(this.#parts.what, event ? frameText(event) : header ? 'no event' : '');
    this.#parts.seen.replaceChildren(
      ...[...countByLabel(objects)].map(([label, number]) => countOf(label, number)),
    );
    writeTiming(this.#parts.timing, event?.timing);
  }

  #drawWindow() {
    const { strip } = this.#parts;
    if (this.#window === null || strip.clientWidth === 0) {
      return;
    }
    const style = getComputedStyle(strip);
    const colours = {
      bar: style.getPropertyValue('--bar'),
      bad: style.getPropertyValue('--bad'),
      none: style.getPropertyValue('--line'),
    };
    const objectsOf = (frame) => acceptedObjects(frame, this.#viewState).length;
    drawWindow(strip, this.#window.frames, objectsOf, colours, strip.clientWidth, strip.clientHeight);
  }

  // --- what there is

  #build() {
    const parts = this.#parts;
    parts.frame = element('div', { class: 'frame' });
    parts.notice = element('span', { class: 'notice', hidden: true });
    parts.said = element('p', { class: 'said', role: 'status', hidden: true });
    parts.strip = element('canvas', { class: 'strip', 'aria-hidden': 'true' });
    parts.scrub = element('input', {
      type: 'range',
      min: '0',
      max: '0',
      value: '0',
      'aria-label': 'Frame of the window in memory',
      input: () => this.#goTo(Number(parts.scrub.value)),
    });
    parts.play = button('play', () => this.togglePause(), 'pause');
    parts.time = element('time', {});
    parts.ago = element('span', { class: 'ago' });
    parts.live = element('button', { type: 'button', class: 'go-live', click: () => this.goLive() }, element('i', { class: 'dot' }), 'Live');
    const wall = button('to-wall', () => this.#viewState.openCamera(null), 'wall', 'All cameras (Esc)');
    const back = button('step-back', () => this.step(-1), 'back', 'One frame back (,)');
    const forward = button('step-forward', () => this.step(1), 'forward', 'One frame on (.)');
    const snapshot = button('save', () => this.snapshot(), 'snapshot', 'Save this picture with its boxes (S)');
    this.#node.append(
      parts.frame,
      element('div', { class: 'timeline' }, parts.strip, parts.scrub),
      element(
        'div',
        { class: 'transport', role: 'group', 'aria-label': 'Replay' },
        wall,
        back,
        parts.play,
        forward,
        parts.live,
        element('span', { class: 'moment' }, parts.time, ' ', parts.ago),
        snapshot,
      ),
      parts.said,
    );
    this.#buildDetails();
  }

  #buildDetails() {
    const parts = this.#parts;
    parts.name = element('h2', {});
    parts.state = element('span', { class: 'state' });
    parts.values = {};
    const value = (name, text, title) => {
      parts.values[name] = element('dd', {}, '–');
      parts.values[name].dataset.value = name;
      return element('div', { title }, element('dt', {}, text), parts.values[name]);
    };
    parts.plots = element('div', { class: 'plots' });
    parts.noPlots = element('p', { class: 'none' }, 'Nothing was seen.');
    parts.seen = element('div', { class: 'seen' });
    parts.what = element('p', { class: 'meta' });
    parts.timing = element('div', { class: 'timing' });
    this.#details.append(
      element('div', { class: 'title' }, element('i', { class: 'dot' }), parts.name, parts.state),
      element(
        'dl',
        { class: 'values' },
        value('rate', 'frame rate', 'Frames a second'),
        value('p50', 'latency p50', 'Capture to event, the last minute'),
        value('p95', 'latency p95', 'Capture to event, the last minute'),
        value('frames', 'frames', 'Since this server started'),
        value('events', 'events', 'Since this server started'),
        value('dead', 'dead letters', 'Frames the job could not take'),
        value('dropped', 'dropped', 'Frames that this page’s server had no room for'),
        value('unsent', 'not sent', 'Frames that this browser was too slow for'),
      ),
      element('h3', {}, 'In view, last minute'),
      parts.plots,
      parts.noPlots,
      element('h3', {}, 'This frame'),
      parts.seen,
      parts.timing,
      parts.what,
    );
  }
}

function button(name, click, symbol, label) {
  return element('button', { type: 'button', class: name, click, title: label, 'aria-label': label }, icon(symbol));
}

function plotRow(label) {
  const canvas = element('canvas', { 'aria-hidden': 'true' });
  const value = element('b', {});
  const swatch = element('i', { class: 'swatch' });
  swatch.style.background = classColour(label);
  const name = element('span', { class: 'label', title: label }, swatch, label);
  return { node: element('div', { class: 'plot' }, name, canvas, value), canvas, value };
}

function frameText({ seq, image, model }) {
  const number = seq === null ? '' : `#${seq}, `;
  return `${number}${image.width}×${image.height}, ${model.name} ${model.precision} on ${model.backend}`;
}

/** A bar with a part for each stage of the frame's way through the job. */
function writeTiming(node, timing) {
  if (!timing) {
    node.replaceChildren();
    return;
  }
  const stages = STAGES.map((stage) => [stage, timing[`${stage}_ms`] ?? 0]);
  const known = stages.reduce((sum, [, ms]) => sum + ms, 0);
  stages.push(['transport', Math.max(0, timing.capture_to_emit_ms - known)]);
  const total = stages.reduce((sum, [, ms]) => sum + ms, 0) || 1;
  const bar = element('div', { class: 'stages', 'aria-hidden': 'true' });
  const list = element('dl', {});
  for (const [stage, ms] of stages) {
    const part = element('i', { 'data-stage': stage });
    part.style.width = `${(100 * ms) / total}%`;
    bar.append(part);
    list.append(element('div', {}, element('i', { class: 'key', 'data-stage': stage }), element('dt', {}, stage), element('dd', {}, ms.toFixed(1))));
  }
  const title = element('p', { class: 'meta' }, `capture to event ${milliseconds(timing.capture_to_emit_ms)}, batch of ${timing.batch_size}`);
  node.replaceChildren(bar, list, title);
}
