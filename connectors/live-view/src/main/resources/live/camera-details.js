// SPDX-License-Identifier: Apache-2.0
import { conditionText, countOf, reasonsText, unansweredText } from './camera-tile.js';
import { classColour, countByLabel } from './classes.js';
import { byId, element, setText } from './dom.js';
import { clock, count, milliseconds, share } from './format.js';
import { acceptedObjects } from './picture.js';
import { drawLine, seenLastMinute } from './plot.js';

const STAGES = ['queue', 'decode', 'letterbox', 'infer', 'postprocess'];

const NUMBERS = [
  ['rate', 'frame rate', 'Frames a second'],
  ['p50', 'latency p50', 'Capture to event, the last minute'],
  ['p95', 'latency p95', 'Capture to event, the last minute'],
  ['frames', 'frames', 'Since this page’s server started'],
  ['events', 'events', 'Since this page’s server started'],
  ['dead', 'dead letters', 'Frames the job could not take'],
  ['dropped', 'no room', 'Frames that this page’s server had no room for'],
  ['unsent', 'not sent', 'Frames that this browser was too slow for'],
];

const JOB_NUMBERS = [
  ['analysed', 'analysed', 'Of the frames that reached the job, those with an event'],
  ['job-dropped', 'dropped', 'Frames that the job gave up, because more came than it can analyse'],
  ['lag', 'lag', 'From the capture of the last frame to its arrival in the job'],
  ['silent', 'silent since', 'When the last frame arrived in the job, where that finds it too long ago'],
];

/** What stands beside a large camera: its numbers, its last minute, and the frame on the screen. */
export class CameraDetails {
  #viewState;
  #node = byId('details');
  #name = element('h2');
  #state = element('span', { class: 'state' });
  #numbers = new Map();
  #jobTitle = element('h3');
  #jobReasons = element('p', { class: 'meta' });
  #job = element('div', { class: 'job', hidden: true });
  #plots = element('div', { class: 'plots' });
  #nothing = element('p', { class: 'none' }, 'Nothing was seen.');
  #rows = [];
  #seen = element('div', { class: 'seen' });
  #timing = element('div', { class: 'timing' });
  #what = element('p', { class: 'meta' });

  constructor(viewState) {
    this.#viewState = viewState;
    this.#job.append(
      this.#jobTitle,
      element('dl', { class: 'values' }, ...JOB_NUMBERS.map((number) => this.#number(...number))),
      this.#jobReasons,
    );
    this.#node.append(
      element('div', { class: 'title' }, element('i', { class: 'dot' }), this.#name, this.#state),
      element('dl', { class: 'values' }, ...NUMBERS.map((number) => this.#number(...number))),
      this.#job,
      element('h3', {}, 'In view, last minute'),
      this.#plots,
      this.#nothing,
      element('h3', {}, 'This frame'),
      this.#seen,
      this.#timing,
      this.#what,
    );
  }

  set hidden(hidden) {
    this.#node.hidden = hidden;
  }

  /** What the server says of the camera. */
  update(camera, now) {
    const { state } = camera;
    const { condition } = camera;
    this.#node.dataset.condition = condition;
    setText(this.#name, camera.id);
    setText(this.#state, conditionText(camera, condition, now));
    this.#write('rate', `${(state.frames_per_second ?? 0).toFixed(1)}/s`);
    this.#write('p50', milliseconds(state.latency_ms?.p50));
    this.#write('p95', milliseconds(state.latency_ms?.p95));
    this.#write('frames', count(state.frames));
    this.#write('events', count(state.events));
    this.#write('dead', count(state.dead_letters), state.dead_letters > 0 && 'bad');
    this.#write('dropped', count(state.dropped), state.dropped > 0 && 'warn');
    this.#write('unsent', count(state.not_sent), state.not_sent > 0 && 'warn');
    this.#writeJob(camera);
    this.#drawPlots(seenLastMinute(camera, this.#viewState, now));
  }

  /** Of a job that says nothing, nothing is shown. */
  #writeJob({ jobDrops, state: { job } }) {
    this.#job.hidden = !job;
    if (!job) {
      return;
    }
    const { frames_in: framesIn, events, dropped } = job.last_minute;
    const frames = Object.values(dropped).reduce((sum, each) => sum + each, 0);
    setText(this.#jobTitle, `The job, minute up to ${clock(job.heard_ms)}`);
    this.#write('analysed', share(events, framesIn), jobDrops && 'warn');
    this.#write('job-dropped', count(frames), jobDrops && 'warn');
    this.#write('lag', milliseconds(job.lag_ms));
    const silentSince = job.silent_since_ms;
    this.#write('silent', silentSince === null ? '–' : clock(silentSince), silentSince !== null && 'warn');
    setText(this.#jobReasons, frames > 0 ? `dropped: ${reasonsText(dropped)}` : '');
  }

  /** @param header of the frame on the screen; undefined where there is none */
  showFrame(header) {
    const event = header?.event;
    const objects = header ? acceptedObjects(header, this.#viewState) : [];
    const counts = [...countByLabel(objects)];
    this.#seen.replaceChildren(...counts.map(([label, number]) => countOf(label, number)));
    this.#timing.replaceChildren(...(event?.timing ? timingOf(event.timing) : []));
    const unanswered = unansweredText(header) || (header ? 'no event' : '');
    setText(this.#what, event ? frameText(event) : unanswered);
  }

  #number(name, text, title) {
    const value = element('dd', { 'data-value': name }, '–');
    this.#numbers.set(name, value);
    return element('div', { title }, element('dt', {}, text), value);
  }

  #write(name, text, alarm = false) {
    const node = this.#numbers.get(name);
    setText(node, text);
    node.className = alarm || '';
  }

  #drawPlots(series) {
    const labels = series.map(({ label }) => label);
    if (labels.join('\n') !== this.#rows.map(({ label }) => label).join('\n')) {
      this.#rows = labels.map(plotRow);
      this.#plots.replaceChildren(...this.#rows.map(({ node }) => node));
      this.#nothing.hidden = labels.length > 0;
    }
    const top = Math.max(2, ...series.flatMap(({ perSecond }) => perSecond));
    series.forEach((each, i) => {
      const { canvas, value, swatch } = this.#rows[i];
      swatch.style.background = classColour(each.label); // known from the first event on
      // The last second is still running; the one before it is whole.
      setText(value, each.perSecond.at(-2).toFixed(1));
      if (canvas.clientWidth > 0) {
        drawLine(canvas, each, top, canvas.clientWidth, canvas.clientHeight);
      }
    });
  }
}

function plotRow(label) {
  const swatch = element('i', { class: 'swatch' });
  const canvas = element('canvas', { 'aria-hidden': 'true' });
  const value = element('b');
  const name = element('span', { class: 'label', title: label }, swatch, label);
  return { label, canvas, value, swatch, node: element('div', { class: 'plot' }, name, canvas, value) };
}

function frameText({ seq, image, model }) {
  const number = seq === null ? '' : `#${seq}, `;
  return `${number}${image.width}×${image.height}, ${model.name} ${model.precision} on ${model.backend}`;
}

/** A bar with a part for each stage of a frame's way to its event, and what it is. */
function timingOf(timing) {
  const stages = STAGES.map((stage) => [stage, timing[`${stage}_ms`] ?? 0]);
  const known = stages.reduce((sum, [, ms]) => sum + ms, 0);
  stages.push(['transport', Math.max(0, timing.capture_to_emit_ms - known)]);
  const total = Math.max(known, timing.capture_to_emit_ms, 1);
  const bar = element('div', { class: 'stages', 'aria-hidden': 'true' });
  const list = element('dl');
  for (const [stage, ms] of stages) {
    const part = element('i', { 'data-stage': stage });
    part.style.width = `${(100 * ms) / total}%`;
    bar.append(part);
    const key = element('i', { class: 'key', 'data-stage': stage });
    list.append(element('div', {}, key, element('dt', {}, stage), element('dd', {}, ms.toFixed(1))));
  }
  const sum = `capture to event ${milliseconds(timing.capture_to_emit_ms)}, batch of ${timing.batch_size}`;
  return [bar, list, element('p', { class: 'meta' }, sum)];
}
