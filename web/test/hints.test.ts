import { describe, expect, it } from 'vitest';
import { AutoShutter, type Box, HintFilter, hintAlone, hintFor, ovalIn, type Quality, type Seen } from '../src/hints.ts';

const FRAME = { width: 240, height: 320 };
const QUALITY: Quality = { face_width: 100, face_height: 130, eye_distance: 45, yaw: 0, pitch: 0, sharpness: 60, brightness: 0.5 };

/** A face of this width in the middle of the oval. */
function face(width: number, dx = 0, dy = 0): Box {
  const oval = ovalIn(FRAME);
  const height = 1.3 * width;
  return { x: oval.x - width / 2 + dx, y: oval.y - height / 2 + dy, width, height };
}

function seen(box: Box | null, quality: Partial<Quality> = {}, faces = box ? 1 : 0): Seen {
  return { faces, face: box, quality: box && { ...QUALITY, ...quality } };
}

describe('the hint for a frame that the service saw', () => {
  it('is good where nothing is wrong', () => {
    expect(hintFor(seen(face(100)), FRAME)).toBe('good');
  });

  it('counts people', () => {
    expect(hintFor(seen(null), FRAME)).toBe('none');
    expect(hintFor(seen(face(100), {}, 2), FRAME)).toBe('several');
  });

  it('looks at the distance', () => {
    expect(hintFor(seen(face(0.21 * 240)), FRAME)).toBe('far');
    expect(hintFor(seen(face(0.23 * 240)), FRAME)).toBe('good');
    expect(hintFor(seen(face(0.59 * 240)), FRAME)).toBe('good');
    expect(hintFor(seen(face(0.61 * 240)), FRAME)).toBe('close');
  });

  it('looks at the place', () => {
    const { rx, ry } = ovalIn(FRAME);
    expect(hintFor(seen(face(80, 0.48 * rx)), FRAME)).toBe('good');
    expect(hintFor(seen(face(80, 0.52 * rx)), FRAME)).toBe('outside');
    expect(hintFor(seen(face(80, 0, -0.52 * ry)), FRAME)).toBe('outside');
  });

  it('takes a face that the edge cuts off for too close in the middle, and for misplaced elsewhere', () => {
    expect(hintFor(seen({ x: 60, y: 0, width: 120, height: 320 }), FRAME)).toBe('close');
    expect(hintFor(seen({ x: 0, y: 100, width: 80, height: 110 }), FRAME)).toBe('outside');
  });

  it.each([
    [{ yaw: 20 }, 'good'], [{ yaw: 20.1 }, 'turned'], [{ yaw: -21 }, 'turned'], [{ pitch: 21 }, 'turned'], [{ pitch: -21 }, 'turned'],
    [{ brightness: 0.19 }, 'dark'], [{ brightness: 0.2 }, 'good'], [{ brightness: 0.91 }, 'bright'],
    [{ sharpness: 14 }, 'blurred'], [{ sharpness: 15 }, 'good'],
  ] as const)('looks at pose, light and sharpness: %j is %s', (quality, hint) => {
    expect(hintFor(seen(face(100), quality), FRAME)).toBe(hint);
  });

  it('is good without figures, which the service may leave out', () => {
    expect(hintFor({ faces: 1, face: face(100), quality: null }, FRAME)).toBe('good');
  });
});

describe('the hint of the browser alone', () => {
  it('knows light and sharpness, and never says that it is good', () => {
    expect(hintAlone({ light: 0.1, sharpness: 100 })).toBe('dark');
    expect(hintAlone({ light: 0.95, sharpness: 100 })).toBe('bright');
    expect(hintAlone({ light: 0.5, sharpness: 5 })).toBe('blurred');
    expect(hintAlone({ light: 0.5, sharpness: 100 })).toBe('ready');
  });
});

describe('the oval', () => {
  it.each([[300, 400], [360, 360], [900, 300]])('lies within a box of %i x %i', (width, height) => {
    const { x, y, rx, ry } = ovalIn({ width, height });
    expect(x - rx).toBeGreaterThan(0);
    expect(y - ry).toBeGreaterThan(0);
    expect(x + rx).toBeLessThan(width);
    expect(y + ry).toBeLessThan(height);
  });
});

describe('the filter', () => {
  it('shows a hint once it holds for two frames', () => {
    const filter = new HintFilter();
    expect(filter.push('far')).toBe('start');
    expect(filter.push('far')).toBe('far');
    expect(filter.push('none')).toBe('far');
    expect(filter.push('far')).toBe('far');
    expect(filter.push('none')).toBe('far');
    expect(filter.push('good')).toBe('far');
    expect(filter.push('good')).toBe('good');
  });
});

describe('the automatic shutter', () => {
  it('goes off after three good frames in a row', () => {
    const shutter = new AutoShutter();
    expect(['good', 'good', 'far', 'good', 'good', 'good'].map((hint) => shutter.push(hint as 'good'))).toEqual([false, false, false, false, false, true]);
  });

  it('begins anew after a reset', () => {
    const shutter = new AutoShutter();
    shutter.push('good');
    shutter.push('good');
    shutter.reset();
    expect(shutter.push('good')).toBe(false);
  });
});
