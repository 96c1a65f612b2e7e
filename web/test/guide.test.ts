import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Announcer } from '../src/announcer.ts';
import type { FrameOutcome } from '../src/client.ts';
import type { Frame } from '../src/frames.ts';
import { Guide } from '../src/guide.ts';
import { ANNOUNCE_EVERY, FRAME_EVERY, SERVICE_PAUSE, SETTLE } from '../src/thresholds.ts';

const GOOD: FrameOutcome = {
  kind: 'seen', faces: 1, face: { x: 70, y: 95, width: 100, height: 130 },
  quality: { face_width: 100, face_height: 130, eye_distance: 45, yaw: 0, pitch: 0, sharpness: 60, brightness: 0.5 },
};

function frame(light = 0.5, sharpness = 50): Frame {
  return { size: { width: 240, height: 320 }, look: { light, sharpness }, encode: async () => new Blob(['x'], { type: 'image/jpeg' }) };
}

function guide(send: () => Promise<FrameOutcome>, grab: () => Frame | null = () => frame()) {
  const parts = { grab: vi.fn(grab), send: vi.fn(send), hint: vi.fn(), good: vi.fn(), over: vi.fn() };
  return { parts, guide: new Guide(parts) };
}

const last = (spy: ReturnType<typeof vi.fn>) => spy.mock.lastCall?.[0];

beforeEach(() => { vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] }); });
afterEach(() => { vi.useRealTimers(); });

describe('the guide', () => {
  it('releases the shutter after three good frames, but not before exposure has settled, and once', async () => {
    const { parts } = guide(async () => GOOD);
    await vi.advanceTimersByTimeAsync(SETTLE);
    expect(parts.good).not.toHaveBeenCalled();
    expect(last(parts.hint)).toBe('good');
    await vi.advanceTimersByTimeAsync(2 * FRAME_EVERY);
    expect(parts.good).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(FRAME_EVERY);
    expect(parts.good).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(10 * FRAME_EVERY);
    expect(parts.good).toHaveBeenCalledTimes(1);
  });

  it('has one frame in flight, never two', async () => {
    let answer: (outcome: FrameOutcome) => void = () => {};
    const { parts, guide: one } = guide(() => new Promise((done) => { answer = done; }));
    await vi.advanceTimersByTimeAsync(6 * FRAME_EVERY);
    expect(parts.send).toHaveBeenCalledTimes(1);
    answer(GOOD);
    await vi.advanceTimersByTimeAsync(FRAME_EVERY);
    expect(parts.send).toHaveBeenCalledTimes(2);
    one.stop();
  });

  it('does not send what is hopelessly dark', async () => {
    const { parts, guide: one } = guide(async () => GOOD, () => frame(0.02));
    await vi.advanceTimersByTimeAsync(3 * FRAME_EVERY);
    expect(parts.send).not.toHaveBeenCalled();
    expect(last(parts.hint)).toBe('dark');
    one.stop();
  });

  it.each<[string, FrameOutcome, number]>([
    ['busy for a while', { kind: 'busy', after: 6 }, 6000],
    ['busy without saying for how long', { kind: 'busy', after: null }, SERVICE_PAUSE],
    ['out of reach', { kind: 'offline' }, SERVICE_PAUSE],
    ['at fault', { kind: 'fault', status: 500 }, SERVICE_PAUSE],
  ])('guides alone while the service is %s, and never releases the shutter then', async (_, outcome, pause) => {
    let now: FrameOutcome = outcome;
    const { parts, guide: one } = guide(async () => now);
    await vi.advanceTimersByTimeAsync(FRAME_EVERY);
    now = GOOD;
    await vi.advanceTimersByTimeAsync(pause - FRAME_EVERY);
    expect(parts.send).toHaveBeenCalledTimes(1);
    expect(last(parts.hint)).toBe('ready');
    expect(parts.good).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(6 * FRAME_EVERY);
    expect(parts.good).toHaveBeenCalledTimes(1);
    one.stop();
  });

  it('says when the session is over', async () => {
    const { parts } = guide(async () => ({ kind: 'over' }));
    await vi.advanceTimersByTimeAsync(5 * FRAME_EVERY);
    expect(parts.over).toHaveBeenCalledTimes(1);
    expect(parts.send).toHaveBeenCalledTimes(1);
  });

  it('leaves no timer and no answer behind', async () => {
    let answer: (outcome: FrameOutcome) => void = () => {};
    const { parts, guide: one } = guide(() => new Promise((done) => { answer = done; }));
    await vi.advanceTimersByTimeAsync(FRAME_EVERY);
    one.stop();
    answer(GOOD);
    await vi.advanceTimersByTimeAsync(5 * FRAME_EVERY);
    expect(parts.hint).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('the announcer', () => {
  it('says the newest text, and lets each be heard', async () => {
    const say = vi.fn();
    const announcer = new Announcer(say);
    announcer.push('one');
    announcer.push('two');
    announcer.push('three');
    expect(say.mock.calls).toEqual([['one']]);
    await vi.advanceTimersByTimeAsync(ANNOUNCE_EVERY);
    expect(say.mock.calls).toEqual([['one'], ['three']]);
    announcer.push('three');
    await vi.advanceTimersByTimeAsync(5 * ANNOUNCE_EVERY);
    expect(say).toHaveBeenCalledTimes(2);
    expect(vi.getTimerCount()).toBe(0);
  });
});
