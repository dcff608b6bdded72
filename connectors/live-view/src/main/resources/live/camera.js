// SPDX-License-Identifier: Apache-2.0
import { LastMinute } from './last-minute.js';

/** What is known of one camera: the server's last word about it and its newest frame's header. */
export class Camera {
  /** The server's state of it; see its `status` message. */
  state = {};

  /** Header of the newest frame, whether or not its picture came along. */
  header = null;

  /** The last dead letter, a `dead_letter` message; null where none has come. */
  letter = null;

  lastMinute = new LastMinute();

  /** How many of the server's states in a row did not mention it. */
  absences = 0;

  constructor(id) {
    this.id = id;
  }

  /** @returns whether it is another frame than the last: that one comes again when its picture is wanted */
  observe(header, now) {
    const isNew = this.header?.key !== header.key;
    this.header = header;
    if (isNew && header.event) {
      this.lastMinute.add(header.event.objects, now);
    }
    return isNew;
  }

  /** The event of a frame that came without it. */
  complete(key, event, now) {
    this.lastMinute.add(event.objects, now);
    if (this.header?.key === key) {
      this.header.event = event;
    }
  }

  /** Whether the job drops frames of it, by its last word. */
  get jobDrops() {
    return Object.keys(this.state.job?.now.dropped ?? {}).length > 0;
  }

  /**
   * 'silent' (no frames), 'failing' (they become dead letters), 'no-events' (frames, but nobody says
   * what is in them) or 'live': the server's word, by its clock alone.
   */
  get condition() {
    return this.state.condition ?? 'live';
  }
}
