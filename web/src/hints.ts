import {
  BLURRED_BELOW, BRIGHT_ABOVE, CLOSE_ABOVE, DARK_BELOW, EDGE, FAR_BELOW, GOOD_IN_A_ROW, HINT_HOLDS, OVAL_REACH, PITCH_BEYOND, YAW_BEYOND,
} from './thresholds.ts';

/** What the person is told while the camera runs. `start` is before anything is known; `ready` is all well as far as the browser alone can tell. */
export const HINTS = ['start', 'none', 'several', 'far', 'close', 'outside', 'turned', 'dark', 'bright', 'blurred', 'good', 'ready'] as const;
export type Hint = (typeof HINTS)[number];

export interface Box { x: number; y: number; width: number; height: number }
export interface Quality { face_width: number; face_height: number; eye_distance: number; yaw: number; pitch: number; sharpness: number; brightness: number }

/** The service's answer to a frame. */
export interface Seen { faces: number; face: Box | null; quality: Quality | null }

/** What the browser measures by itself, in the middle of the frame. */
export interface Look { light: number; sharpness: number }

export interface Size { width: number; height: number }
export interface Oval { x: number; y: number; rx: number; ry: number }

/** The guide's oval in a box of this size, in the box's pixels: the one that is drawn, and the one that is decided by. */
export function ovalIn({ width, height }: Size): Oval {
  const ry = Math.min(0.37 * height, 0.42 * width);
  return { x: 0.5 * width, y: 0.5 * height, rx: 0.74 * ry, ry };
}

/** The hint for a frame that the service looked at. */
export function hintFor(seen: Seen, frame: Size): Hint {
  const { face, quality } = seen;
  if (seen.faces > 1) return 'several';
  if (seen.faces < 1 || !face) return 'none';

  const oval = ovalIn(frame);
  const dx = (face.x + face.width / 2 - oval.x) / oval.rx;
  const dy = (face.y + face.height / 2 - oval.y) / oval.ry;
  const inOval = Math.hypot(dx, dy) <= OVAL_REACH;
  const cut = face.x < EDGE * frame.width || face.y < EDGE * frame.height
    || face.x + face.width > (1 - EDGE) * frame.width || face.y + face.height > (1 - EDGE) * frame.height;

  if (face.width < FAR_BELOW * frame.width) return 'far';
  // A face that the edge cuts off is too close only if it is in the middle: else moving into the oval is what helps.
  if (face.width > CLOSE_ABOVE * frame.width || (cut && inOval)) return 'close';
  if (cut || !inOval) return 'outside';
  if (quality) {
    if (Math.abs(quality.yaw) > YAW_BEYOND || Math.abs(quality.pitch) > PITCH_BEYOND) return 'turned';
    if (quality.brightness < DARK_BELOW) return 'dark';
    if (quality.brightness > BRIGHT_ABOVE) return 'bright';
    if (quality.sharpness < BLURRED_BELOW) return 'blurred';
  }
  return 'good';
}

/** The hint for a frame that only the browser looked at. Never `good`: it does not know whether there is a face. */
export function hintAlone(look: Look): Hint {
  if (look.light < DARK_BELOW) return 'dark';
  if (look.light > BRIGHT_ABOVE) return 'bright';
  if (look.sharpness < BLURRED_BELOW) return 'blurred';
  return 'ready';
}

/** Shows a new hint only once it has held for some frames. */
export class HintFilter {
  shown: Hint = 'start';
  #candidate: Hint = 'start';
  #held = 0;

  push(hint: Hint): Hint {
    this.#held = hint === this.#candidate ? this.#held + 1 : 1;
    this.#candidate = hint;
    if (this.#held >= HINT_HOLDS) this.shown = hint;
    return this.shown;
  }
}

/** Says when to take the photograph: after some good frames in a row, each of them seen by the service. */
export class AutoShutter {
  #good = 0;

  push(hint: Hint): boolean {
    this.#good = hint === 'good' ? this.#good + 1 : 0;
    return this.#good >= GOOD_IN_A_ROW;
  }

  reset(): void {
    this.#good = 0;
  }
}
