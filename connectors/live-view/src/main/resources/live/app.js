// SPDX-License-Identifier: Apache-2.0
import { Camera } from './camera.js';
import { CameraView } from './camera-view.js';
import { conditionText } from './camera-tile.js';
import { learnClasses } from './classes.js';
import { Connection } from './connection.js';
import { byId, element, setText } from './dom.js';
import { EventList } from './event-list.js';
import { FilterBar } from './filter-bar.js';
import { count, milliseconds, naturally, share } from './format.js';
import { asStored } from './orientation.js';
import { Rolling } from './rolling.js';
import { startTheme, toggleTheme } from './theme.js';
import { ViewState } from './view-state.js';
import { Wall } from './wall.js';

/** Clocks that differ by more are not compared: between them lies no latency. */
const CLOCKS_AGREE_MS = 1_000;
const CHIPS_EVERY_MS = 250;
const MOST_ABSENCES = 10;

startTheme();

const viewState = new ViewState();
const cameras = new Map();
const toScreen = new Rolling();
const painted = new Rolling();
const received = new Rolling();
let skipped = 0;
let windowFrames = 0;
let clockOffset = 0;
let retryAt = 0;
let refusal; // why the server lets nobody in; undefined where it does
let kafka = null;
let serverTotals = {};

/** Pictures asked for come at once, however old: only what was captured later tells how fast the way is. */
let countFrom = 0;

const serverNow = () => Date.now() - clockOffset;

const pictureListener = {
  seen({ header }, now) {
    painted.add(1);
    if (header.capture_time_ms >= countFrom) {
      toScreen.add(now - clockOffset - header.capture_time_ms);
    }
  },
  skipped: () => skipped++,
};
const wall = new Wall(byId('wall'), viewState, { ...pictureListener, visibilityChanged: askForPictures });
const cameraView = new CameraView(viewState, { ...pictureListener, paused: askForPictures });
const events = new EventList(viewState, openMoment);
const filterBar = new FilterBar(viewState);
const connection = new Connection({
  hello(message) {
    windowFrames = message.window_frames;
    countFrom = serverNow();
    setText(byId('topics'), Object.values(message.topics ?? {}).join(' · '));
    takeStatus(message);
    showView();
  },
  status: takeStatus,
  event: takeEvent,
  deadLetter: takeDeadLetter,
  frame: takeFrame,
  received: (bytes) => received.add(bytes),
  connection: showConnection,
});

// --- what comes from the server

function takeStatus({ server_time_ms: serverTime, cameras: states, ...others }) {
  const offset = Date.now() - serverTime;
  clockOffset = Math.abs(offset) > CLOCKS_AGREE_MS ? offset : 0;
  kafka = others.kafka ?? null;
  serverTotals = others.totals ?? {};
  for (const state of states) {
    cameraOf(state.camera).state = state;
  }
  forgetAllBut(new Set(states.map(({ camera }) => camera)));
  const now = serverNow();
  wall.tiles.forEach((tile) => {
    const before = tile.condition;
    tile.update(now);
    noteCondition(tile, before, now);
  });
  cameraView.update(now);
  showTotals();
  showBanner();
  events.age((id) => now - keptMs(cameras.get(id)));
}

/** A server that was started again knows no camera for a while; one that keeps saying so forgot it. */
function forgetAllBut(known) {
  for (const [id, camera] of cameras) {
    camera.absences = known.has(id) ? 0 : camera.absences + 1;
    if (camera.absences > MOST_ABSENCES) {
      cameras.delete(id);
      wall.remove(id);
      events.forget(id);
      events.note('warn', id, 'no longer known to the server', serverNow());
    }
  }
  if (cameraView.camera !== null && !cameras.has(cameraView.camera.id)) {
    showView();
  }
}

function takeFrame(header, body, dealtWith) {
  const camera = cameraOf(header.camera);
  const now = serverNow();
  if (header.event) {
    learnClasses(header.event.objects);
  }
  if (camera.observe(header, now)) {
    events.observe(header, now);
  }
  const blob = body.length > 0 ? asStored(body, header.content_type) : null;
  if (cameraView.camera === camera) {
    cameraView.offer(header, blob, dealtWith);
  } else if (blob !== null && cameraView.camera === null) {
    wall.tile(camera.id).picture.offer({ header, blob, dealtWith });
  } else {
    dealtWith();
  }
}

/** An event that came after its frame had been sent. */
function takeEvent({ camera: id, key, capture_time_ms, event }) {
  learnClasses(event.objects);
  const camera = cameraOf(id);
  const now = serverNow();
  camera.complete(key, event, now);
  events.observe({ camera: id, key, event, capture_time_ms }, now);
  wall.tile(id).picture.redraw();
  if (cameraView.camera === camera) {
    cameraView.complete(key, event);
  }
}

function takeDeadLetter(message) {
  if (message.camera !== null) {
    cameraOf(message.camera).letter = message;
  }
  events.deadLetter(message, serverNow());
}

function cameraOf(id) {
  let camera = cameras.get(id);
  if (camera === undefined) {
    camera = new Camera(id);
    cameras.set(id, camera);
    wall.add(camera);
    byId('empty').hidden = true;
    if (viewState.camera === id) {
      showView();
    }
  }
  return camera;
}

/** How long a frame of a camera stays in the server's window at its rate. */
function keptMs(camera) {
  const rate = camera?.state.frames_per_second;
  return rate > 0 ? (windowFrames * 1000) / rate : Number.POSITIVE_INFINITY;
}

function noteCondition({ camera, condition }, before, now) {
  if (before !== undefined && before !== condition) {
    const good = condition === 'live';
    const text = good ? 'live again' : conditionText(camera, condition, now).replace(/ \(.*\)$/, '');
    events.note(good ? 'good' : 'warn', camera.id, text, now);
  }
}

// --- what is asked of the server

/** Only pictures that somebody can see: none of a hidden page, one of a wall behind a large camera. */
function askForPictures() {
  if (connection.show(wantedPictures())) {
    countFrom = serverNow();
  }
}

function wantedPictures() {
  if (document.hidden || cameraView.paused) {
    return [];
  }
  return cameraView.camera === null ? wall.inView : [cameraView.camera.id];
}

// --- what is shown

function showView() {
  const camera = cameras.get(viewState.camera) ?? null;
  document.body.classList.toggle('one-camera', camera !== null);
  byId('wall').hidden = camera !== null;
  if (camera === null) {
    const left = cameraView.camera;
    cameraView.close();
    wall.layOut();
    if (left !== null) {
      wall.focus(left.id);
    }
  } else if (camera !== cameraView.camera) {
    cameraView.open(camera, windowFrames);
    cameraView.update(serverNow());
    byId('main').focus();
  }
  document.title = camera === null ? 'Sightline live' : `${camera.id} · Sightline live`;
  askForPictures();
}

function openMoment(id, key) {
  const camera = cameras.get(id);
  if (camera !== undefined) {
    viewState.openCamera(id);
    cameraView.open(camera, windowFrames, key);
  }
}

function showFilter() {
  filterBar.show();
  events.filterChanged();
  wall.tiles.forEach((tile) => {
    tile.picture.redraw();
    tile.update(serverNow());
  });
  cameraView.redraw();
}

const totals = new Map(
  [
    ['cameras', 'cameras live', 'Cameras that send frames, of all'],
    ['rate', 'frames/s', 'Frames of all cameras'],
    ['p95', 'p95', 'Capture to event: the slowest camera’s p95 of the last minute'],
    ['dead', 'dead letters', 'Frames the job could not take'],
    ['dropped', 'not shown', 'Frames that this page’s server had no room for, or this browser was too slow for'],
    ['analysed', 'analysed', 'Of the frames of cameras of which the job drops some, those it analysed: its last word'],
  ].map(([name, text, title]) => {
    const value = element('dd', {}, '–');
    value.dataset.total = name;
    byId('totals').append(element('div', { title }, value, element('dt', {}, text)));
    return [name, value];
  }),
);

function showTotals() {
  const states = [...cameras.values()].map(({ state }) => state);
  const sum = (field) => states.reduce((total, state) => total + (state[field] ?? 0), 0);
  const live = wall.tiles.filter(({ condition }) => condition === 'live').length;
  const latencies = states.map((state) => state.latency_ms?.p95 ?? -1);
  const slowest = Math.max(-1, ...latencies);
  const dropped = sum('dropped') + sum('not_sent') + (serverTotals.skipped ?? 0);
  setText(totals.get('cameras'), `${live}/${states.length}`);
  setText(totals.get('rate'), sum('frames_per_second').toFixed(1));
  setText(totals.get('p95'), milliseconds(slowest < 0 ? null : slowest));
  setText(totals.get('dead'), count(sum('dead_letters')));
  setText(totals.get('dropped'), count(dropped));
  showDrops();
  totals.get('cameras').classList.toggle('warn', live < states.length);
  totals.get('dead').classList.toggle('bad', sum('dead_letters') > 0);
  totals.get('dropped').classList.toggle('warn', dropped > 0);
}

/** Only while the job drops frames of a camera. */
function showDrops() {
  const jobs = [...cameras.values()].filter(({ jobDrops }) => jobDrops).map(({ state }) => state.job.now);
  const sum = (field) => jobs.reduce((total, now) => total + now[field], 0);
  const node = totals.get('analysed');
  setText(node, share(sum('events'), sum('frames_in')));
  node.classList.add('warn');
  node.parentElement.hidden = jobs.length === 0;
}

function showMeasured() {
  const [p50, p95] = toScreen.quantiles(0.5, 0.95);
  setText(byId('screen-p50'), milliseconds(p50));
  setText(byId('screen-p95'), milliseconds(p95));
  setText(byId('painted'), painted.perSecond().toFixed(1));
  setText(byId('skipped'), count(skipped));
  setText(byId('received'), (received.perSecond() / 1e6).toFixed(1));
}

function showChips() {
  const counts = new Map();
  for (const { header, condition } of cameras.values()) {
    if (header?.event && condition !== 'silent') {
      for (const { label, confidence } of header.event.objects) {
        const more = confidence >= viewState.minConfidence ? 1 : 0;
        counts.set(label, (counts.get(label) ?? 0) + more);
      }
    }
  }
  filterBar.update(counts);
}

function showConnection(state, at, reason) {
  const before = document.body.dataset.connection;
  document.body.dataset.connection = state;
  retryAt = at ?? 0;
  refusal = REFUSALS[reason];
  if (state === 'open' && before !== 'connecting') {
    events.note('good', null, 'server connected again', Date.now());
  } else if (state === 'lost' && before === 'open') {
    events.note('warn', null, 'server lost', Date.now());
  }
  setText(byId('connection').lastElementChild, refusal?.word ?? CONNECTION_WORDS[state]);
  showBanner();
}

const CONNECTION_WORDS = {
  open: 'live',
  connecting: 'connecting',
  lost: 'server lost',
};

const REFUSALS = {
  token: {
    word: 'token needed',
    text: 'The server wants its token: open the address that it printed.',
  },
  viewers: {
    word: 'too many viewers',
    text: 'The server has as many viewers as it takes.',
  },
};

function showBanner() {
  const connected = document.body.dataset.connection === 'open';
  const text = connected ? kafkaTrouble() : connectionTrouble();
  setText(byId('banner-text'), text);
  setText(byId('banner-wait'), connected || text === '' ? '' : retryText());
  byId('banner').hidden = text === '';
  byId('retry').hidden = connected;
}

function connectionTrouble() {
  const state = document.body.dataset.connection;
  if (state === 'connecting') {
    return '';
  }
  return refusal?.text ?? 'The server is lost: what you see is old.';
}

function retryText() {
  const seconds = Math.ceil((retryAt - Date.now()) / 1000);
  return `Trying again ${seconds > 0 ? `in ${seconds} s` : 'now'}.`;
}

function kafkaTrouble() {
  switch (kafka?.state) {
    case 'connecting':
      return 'The server is connecting to Kafka.';
    case 'lost':
      return 'The server has lost Kafka: what you see is old.';
    case 'refused':
      return 'Kafka refuses the server: its log says why.';
    default:
      return kafka?.missing_topics?.length > 0
        ? `Kafka has no topic ${kafka.missing_topics.join(', ')}.`
        : '';
  }
}

// --- the user

const actions = {
  e: toggleEvents,
  t: toggleTheme,
  '?': () => byId('help-dialog').showModal(),
};

function toggleEvents() {
  const hidden = document.body.classList.toggle('no-events-panel');
  byId('toggle-events').setAttribute('aria-expanded', String(!hidden));
}

function neighbour(by) {
  const ids = [...cameras.keys()].sort(naturally);
  const to = ids[ids.indexOf(cameraView.camera.id) + by];
  if (to !== undefined) {
    viewState.openCamera(to);
  }
}

function keyPressed(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || byId('help-dialog').open) {
    return;
  }
  const { key, target } = event;
  const slides = target.matches?.('input[type=range]') && /^(Arrow|Home|End|Page)/.test(key);
  const presses = target.matches?.('button, a') && key === ' ';
  if (slides || presses) {
    return;
  }
  let done = true;
  if (cameraView.camera !== null && key === 'Escape') {
    viewState.openCamera(null);
  } else if (cameraView.camera !== null && (key === 'ArrowUp' || key === 'ArrowDown')) {
    neighbour(key === 'ArrowUp' ? -1 : 1);
  } else if (cameraView.camera === null || !cameraView.key(key)) {
    const action = actions[key.toLowerCase()];
    action?.();
    done = action !== undefined;
  }
  if (done) {
    event.preventDefault();
  }
}

viewState.addEventListener('change', () => {
  showView();
  showFilter();
});
document.addEventListener('visibilitychange', askForPictures);
document.addEventListener('keydown', keyPressed);
byId('home').addEventListener('click', (event) => {
  event.preventDefault();
  viewState.openCamera(null);
});
byId('toggle-events').addEventListener('click', toggleEvents);
byId('toggle-theme').addEventListener('click', toggleTheme);
byId('open-help').addEventListener('click', actions['?']);
byId('retry').addEventListener('click', () => connection.retryNow());
setInterval(showChips, CHIPS_EVERY_MS);
setInterval(() => {
  showMeasured();
  showBanner();
}, 1_000);

connection.open();
