import type { FrameOutcome } from './client.ts';
import type { Frame } from './frames.ts';
import type { Hint } from './hints.ts';
import { AutoShutter, HintFilter, hintAlone, hintFor } from './hints.ts';
import { FRAME_EVERY, HOPELESS_BELOW, SERVICE_PAUSE, SETTLE } from './thresholds.ts';

export interface GuideParts {
  grab(): Frame | null;
  send(frame: Blob, signal: AbortSignal): Promise<FrameOutcome>;
  /** What to show now. */
  hint(hint: Hint): void;
  /** The photograph should be taken now. */
  good(): void;
  /** The session cannot be used any more, as an answer to a frame said. */
  over(outcome: FrameOutcome): void;
}

/** Looks at a frame a few times a second while the camera runs, says what to do better, and when it is good. */
export class Guide {
  #parts: GuideParts;
  #filter = new HintFilter();
  #auto = new AutoShutter();
  #stopped = new AbortController();
  #timer: ReturnType<typeof setInterval>;
  #busy = false;
  #started = performance.now();
  #silentUntil = 0;

  constructor(parts: GuideParts) {
    this.#parts = parts;
    this.#timer = setInterval(() => void this.#look(), FRAME_EVERY);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#stopped.abort();
  }

  async #look(): Promise<void> {
    // One frame in flight, never two.
    if (this.#busy) return;
    this.#busy = true;
    try {
      const frame = this.#parts.grab();
      if (frame) await this.#judge(frame);
    } finally {
      this.#busy = false;
    }
  }

  async #judge(frame: Frame): Promise<void> {
    if (frame.look.light < HOPELESS_BELOW) return this.#alone('dark');
    if (performance.now() < this.#silentUntil) return this.#alone(hintAlone(frame.look));

    const blob = await frame.encode();
    if (!blob || this.#stopped.signal.aborted) return;
    const outcome = await this.#parts.send(blob, this.#stopped.signal);
    if (this.#stopped.signal.aborted) return;

    switch (outcome.kind) {
      case 'seen': {
        const hint = hintFor(outcome, frame.size);
        this.#parts.hint(this.#filter.push(hint));
        if (performance.now() - this.#started < SETTLE) this.#auto.reset();
        else if (this.#auto.push(hint)) {
          this.stop();
          this.#parts.good();
        }
        return;
      }
      case 'over':
      case 'denied':
        this.stop();
        return this.#parts.over(outcome);
      default: {
        const pause = outcome.kind === 'busy' && outcome.after !== null ? outcome.after * 1000 : SERVICE_PAUSE;
        this.#silentUntil = performance.now() + pause;
        return this.#alone(hintAlone(frame.look));
      }
    }
  }

  /** A hint without the service: the shutter does not go off by itself on it. */
  #alone(hint: Hint): void {
    this.#auto.reset();
    this.#parts.hint(this.#filter.push(hint));
  }
}
