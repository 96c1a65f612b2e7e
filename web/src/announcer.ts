import { ANNOUNCE_EVERY } from './thresholds.ts';

/** Passes texts on to a live region, the newest of them, and not more often than a screen reader can say them. */
export class Announcer {
  #say: (text: string) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #next: string | null = null;
  #said = '';

  constructor(say: (text: string) => void) {
    this.#say = say;
  }

  push(text: string): void {
    if (this.#timer !== undefined) {
      this.#next = text;
    } else if (text !== this.#said) {
      this.#said = text;
      this.#say(text);
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        const next = this.#next;
        this.#next = null;
        if (next !== null) this.push(next);
      }, ANNOUNCE_EVERY);
    }
  }

  /** Forgets what was said and what waits to be. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#next = null;
    this.#said = '';
    this.#say('');
  }
}
