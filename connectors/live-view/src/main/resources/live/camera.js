// SPDX-License-Identifier: Apache-2.0
import { LastMinute } from './last-minute.js';

const LEAST_PATIENCE_MS = 3_000;
const PATIENCE_FRAMES = 5;

/** What is known of one camera: the server's last word about it and its newest frame's header. */
export class Camera {
  /** The server's state of it; see its `status` message. */
  state = {};

  /** Header of the newest frame, whether or not its picture came along. */
  header = null;

  lastMinute = new LastMinute();

  /** How many of the server's states in a row did not mention it. */
  absences = 0;

  constructor(id, now) {
    this.id = id;
    this.firstSeen = now;
    this.lastEvent = null;
  }

  observe(header, now) {
    this.header = header;
    if (header.event) {
      this.lastMinute.add(header.event.objects, now);
      this.lastEvent = Math.max(this.lastEvent ?? 0, header.capture_time_ms);
    }
  }

  /** The event of a frame that came without it. */
  complete(key, event, now) {
    this.lastMinute.add(event.objects, now);
    if (this.header?.key === key) {
      this.header.event = event;
    }
    this.lastEvent = Math.max(this.lastEvent ?? 0, Date.parse(event.capture_time));
  }

  update(state) {
    this.state = state;
    this.lastEvent = Math.max(this.lastEvent ?? 0, state.last_event_ms ?? 0) || null;
  }

  /** Whether the job drops frames of it, by its last word. */
  get jobDrops() {
    return Object.keys(this.state.job?.now.dropped ?? {}).length > 0;
  }

  /**
   * 'silent' (no frames), 'failing' (the newest frames are dead letters), 'no-events' (frames, but
   * nobody says what is in them) or 'live'.
   *
   * @param now of the server's clock
   */
  condition(now) {
    if (this.state.silent) {
      return 'silent';
    }
    const interval = 1000 / (this.state.frames_per_second || 1);
    const patience = Math.max(LEAST_PATIENCE_MS, PATIENCE_FRAMES * interval);
    if (now - (this.lastEvent ?? this.firstSeen) > patience) {
      return this.header?.dead_letter ? 'failing' : 'no-events';
    }
    return 'live';
  }
}
