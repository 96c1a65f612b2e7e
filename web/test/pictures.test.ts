import { describe, expect, it } from 'vitest';
import { describe as words } from '../pages/quality.ts';
import { reasonOf, wishes } from '../src/camera.ts';
import { coverCrop, measure, shrinkTo } from '../src/frames.ts';
import { photoSize } from '../src/still.ts';

describe('the crop that is shown', () => {
  it('is the middle of the picture in the shape of the box', () => {
    expect(coverCrop({ width: 1920, height: 1080 }, { width: 300, height: 400 })).toEqual({ x: 555, y: 0, width: 810, height: 1080 });
    expect(coverCrop({ width: 1080, height: 1920 }, { width: 300, height: 300 })).toEqual({ x: 0, y: 420, width: 1080, height: 1080 });
  });

  it('is made smaller, and never larger', () => {
    expect(shrinkTo({ width: 810, height: 1080 }, 320)).toEqual({ width: 240, height: 320 });
    expect(shrinkTo({ width: 90, height: 120 }, 320)).toEqual({ width: 90, height: 120 });
  });
});

describe('what the browser measures', () => {
  const picture = (value: (x: number, y: number) => number) => {
    const pixels = new Uint8ClampedArray(16 * 16 * 4);
    for (let i = 0; i < 256; i++) pixels.fill(value(i % 16, Math.floor(i / 16)), 4 * i, 4 * i + 3);
    return measure(pixels, 16, 16);
  };

  it('is light', () => {
    expect(picture(() => 0).light).toBe(0);
    expect(picture(() => 255).light).toBeCloseTo(1);
    expect(picture(() => 51).light).toBeCloseTo(0.2);
  });

  it('is sharpness', () => {
    expect(picture(() => 128).sharpness).toBeCloseTo(0);
    expect(picture((x) => 4 * x).sharpness).toBeCloseTo(0);
    expect(picture((x, y) => ((x + y) % 2 ? 160 : 100)).sharpness).toBeGreaterThan(1000);
  });
});

describe('the still', () => {
  it('is the largest that the camera has, up to twelve megapixels', () => {
    expect(photoSize(1920, 1080)).toEqual({ width: 1920, height: 1080 });
    const { width, height } = photoSize(8000, 6000);
    expect(width * height).toBeLessThanOrEqual(12_000_000);
    expect(width / height).toBeCloseTo(4 / 3, 2);
  });
});

describe('a camera that fails', () => {
  const error = (name: string) => new DOMException('x', name);

  it.each([
    ['NotAllowedError', 'refused'], ['NotFoundError', 'missing'], ['NotReadableError', 'in_use'], ['AbortError', 'in_use'], ['SecurityError', 'blocked'], ['TypeError', 'unknown'],
  ])('with %s is %s', (name, reason) => {
    expect(reasonOf(error(name), true, true)).toBe(reason);
  });

  it('may be forbidden by the page around, or by an insecure address', () => {
    expect(reasonOf(error('NotAllowedError'), false, true)).toBe('blocked');
    expect(reasonOf(error('NotAllowedError'), true, false)).toBe('insecure');
  });

  it('is asked for less and less', () => {
    expect(wishes(null)[0]).toMatchObject({ facingMode: 'user', width: { ideal: 1920 }, height: { ideal: 1080 } });
    expect(wishes('back')[0]).toMatchObject({ deviceId: { exact: 'back' } });
    expect(wishes(null).at(-1)).toEqual({});
  });
});

it('puts a word on each figure of a photograph', () => {
  const good = { face_width: 180, face_height: 230, eye_distance: 80, yaw: 3, pitch: -4, sharpness: 50, brightness: 0.5 };
  expect(words(good).every((row) => row.good)).toBe(true);
  expect(words({ ...good, yaw: 30 }).find((row) => !row.good)?.word).toBe('to the right');
  expect(words({ ...good, brightness: 0.1 }).find((row) => !row.good)?.word).toBe('too dark');
});
