import { describe, expect, it } from 'vitest';
import type { PhotoOutcome, Session } from '../src/client.ts';
import { type Effect, type Event, next, START, type State, type Step, TRIES } from '../src/machine.ts';

const SESSION: Session = { status: 'open', passed: null, nonce: 'n', uploadsLeft: 3, expiresAt: '2030-01-01T00:00:00Z', secondsLeft: 800, returnUrl: null, photosKept: false };

/** Plays events, and keeps the effects of the last. */
function play(state: State, ...events: Event[]): { state: State; effects: Effect[] } {
  let effects: Effect[] = [];
  for (const event of events) [state, effects] = next(state, event);
  return { state, effects };
}

const begin: Event = { type: 'start', camera: true, link: true };
const loaded = (session: Partial<Session> = {}): Event => ({ type: 'loaded', outcome: { kind: 'session', session: { ...SESSION, ...session } } });
const answered = (outcome: PhotoOutcome): Event => ({ type: 'answered', outcome });
const judged = (passed: boolean, uploadsLeft: number): Event => answered({ kind: 'judged', passed, status: passed || uploadsLeft === 0 ? 'finished' : 'open', uploadsLeft });

const welcome = play(START, begin, loaded()).state;
const live = play(welcome, { type: 'camera' }, { type: 'camera-opened' }).state;
const review = play(live, { type: 'shutter' }, { type: 'photo', source: 'camera' }).state;
const uploading = play(review, { type: 'use' }).state;

const dos = (effects: Effect[]) => effects.map((effect) => effect.do);

describe('the way to the photograph', () => {
  it('goes from the session to the camera, the still, its review, and the service', () => {
    const start = play(START, begin);
    expect(start.state.step).toBe('loading');
    expect(dos(start.effects)).toEqual(['load']);

    const ready = play(start.state, loaded());
    expect(ready.state.step).toBe('welcome');
    expect(dos(ready.effects)).toEqual(['ready']);

    const asking = play(ready.state, { type: 'camera' });
    expect(asking.state.step).toBe('asking');
    expect(dos(asking.effects)).toContain('open-camera');

    expect(live.step).toBe('live');
    const shot = play(live, { type: 'shutter' });
    expect(shot.state.taking).toBe(true);
    expect(dos(shot.effects)).toEqual(['take-still']);
    expect(play(shot.state, { type: 'shutter' }).effects).toEqual([]);

    const still = play(shot.state, { type: 'photo', source: 'camera' });
    expect(still.state).toMatchObject({ step: 'review', taking: false });
    expect(dos(still.effects)).toEqual(['close-camera']);

    const sent = play(still.state, { type: 'use' });
    expect(sent.state.step).toBe('uploading');
    expect(dos(sent.effects)).toEqual(['upload']);
    expect(play(sent.state, { type: 'progress', part: 0.4 }).state.progress).toBe(0.4);
  });

  it('takes another photograph instead', () => {
    const again = play(review, { type: 'camera' });
    expect(again.state.step).toBe('asking');
    expect(dos(again.effects)).toEqual(['drop-photo', 'close-camera', 'open-camera']);
  });

  it('stays with the camera where the still failed', () => {
    expect(play(live, { type: 'shutter' }, { type: 'still-failed' }).state).toMatchObject({ step: 'live', taking: false, notice: 'still' });
  });

  it('switches the camera off with the page, and says so', () => {
    const hidden = play(live, { type: 'hidden' });
    expect(hidden.state.step).toBe('paused');
    expect(dos(hidden.effects)).toEqual(['close-camera']);
    expect(play(live, { type: 'camera-ended' }).state).toMatchObject({ step: 'paused', notice: 'camera' });
    expect(play(hidden.state, { type: 'camera' }).state.step).toBe('asking');
    // A still that was on its way comes too late.
    expect(play(hidden.state, { type: 'photo', source: 'camera' }).state.step).toBe('paused');
  });

  it('explains a camera that fails, and takes a file instead', () => {
    const failed = play(welcome, { type: 'camera' }, { type: 'camera-failed', reason: 'refused' });
    expect(failed.state).toMatchObject({ step: 'camera-error', cameraReason: 'refused' });
    expect(failed.effects).toContainEqual({ do: 'error', reason: 'camera_refused' });
    expect(play(failed.state, { type: 'file-failed' }).state).toMatchObject({ step: 'camera-error', notice: 'file' });
    expect(play(failed.state, { type: 'photo', source: 'file' }).state).toMatchObject({ step: 'review', source: 'file', notice: null });
  });
});

describe('what the session says', () => {
  it('is over', () => {
    expect(play(START, begin, loaded({ status: 'expired' }))).toMatchObject({ state: { step: 'expired' }, effects: [{ do: 'drop-photo' }, { do: 'error', reason: 'session_expired' }] });
    expect(play(START, begin, loaded({ status: 'finished', passed: true }))).toMatchObject({ state: { step: 'passed' }, effects: [{ do: 'drop-photo' }, { do: 'finish', passed: true }] });
    expect(play(START, begin, loaded({ status: 'finished', passed: false })).state.step).toBe('failed');
  });

  it('is not for this token, or there is none', () => {
    expect(play(START, { type: 'start', camera: true, link: false })).toMatchObject({ state: { step: 'fault', faultReason: 'link' }, effects: [{ do: 'error', reason: 'unauthorized' }] });
    expect(play(START, begin, { type: 'loaded', outcome: { kind: 'denied' } }).state).toMatchObject({ step: 'fault', faultReason: 'link' });
  });

  it('is asked again where nobody answers', () => {
    const offline = play(START, begin, { type: 'loaded', outcome: { kind: 'offline' } });
    expect(offline.state).toMatchObject({ step: 'offline', resume: 'load' });
    expect(dos(play(offline.state, { type: 'retry' }).effects)).toContain('load');
  });

  it('is asked again when the time is up, and the camera is switched off', () => {
    const over = play(live, { type: 'over' });
    expect(over.state.step).toBe('loading');
    expect(dos(over.effects)).toEqual(['close-camera', 'drop-photo', 'load']);
    expect(play(uploading, { type: 'over' }).state.step).toBe('uploading');
  });
});

describe('what becomes of the photograph', () => {
  it('passes', () => {
    const passed = play(uploading, judged(true, 2));
    expect(passed.state).toMatchObject({ step: 'passed', session: { uploadsLeft: 2 } });
    expect(passed.effects).toEqual([{ do: 'drop-photo' }, { do: 'finish', passed: true }]);
  });

  it('does not, and may be tried again as long as uploads are left', () => {
    const refused = play(uploading, judged(false, 2));
    expect(refused.state).toMatchObject({ step: 'refused', session: { uploadsLeft: 2 } });
    expect(refused.effects).toContainEqual({ do: 'retry', reason: 'not_live' });
    expect(play(refused.state, { type: 'camera' }).state.step).toBe('asking');
    expect(play(uploading, judged(false, 0))).toMatchObject({ state: { step: 'failed' }, effects: [{ do: 'drop-photo' }, { do: 'finish', passed: false }] });
  });

  it('cannot be judged, and says why', () => {
    const unclear = play(uploading, answered({ kind: 'unclear', reason: 'face_too_far', session: { ...SESSION, uploadsLeft: 1 } }));
    expect(unclear.state).toMatchObject({ step: 'unclear', unclearReason: 'face_too_far', session: { uploadsLeft: 1 } });
    expect(unclear.effects).toContainEqual({ do: 'retry', reason: 'face_too_far' });
    expect(play(uploading, answered({ kind: 'unclear', reason: 'no_face_detected', session: null })).state.session?.uploadsLeft).toBe(2);
    expect(play(uploading, answered({ kind: 'unclear', reason: 'something_new', session: null })).state.unclearReason).toBe('other');
    expect(play(uploading, answered({ kind: 'unclear', reason: 'face_too_far', session: { ...SESSION, status: 'finished', passed: false } })).state.step).toBe('failed');
  });

  it('comes too late, or again after its answer was lost', () => {
    expect(play(uploading, answered({ kind: 'over', expired: true, session: null })).state.step).toBe('expired');
    expect(play(uploading, answered({ kind: 'over', expired: false, session: { ...SESSION, status: 'finished', passed: true } })).state.step).toBe('passed');
  });

  it('is made smaller once', () => {
    const large = play(uploading, answered({ kind: 'too-large' }));
    expect(large.state.step).toBe('uploading');
    expect(dos(large.effects)).toEqual(['shrink']);
    expect(play(large.state, answered({ kind: 'too-large' })).state).toMatchObject({ step: 'unclear', unclearReason: 'too_large' });
  });

  it('is not lost with the network', () => {
    const offline = play(uploading, answered({ kind: 'offline' }));
    expect(offline.state).toMatchObject({ step: 'offline', resume: 'upload' });
    expect(dos(offline.effects)).not.toContain('drop-photo');
    expect(dos(play(offline.state, { type: 'retry' }).effects)).toEqual(['upload']);
  });

  it('is asked for anew where the nonce is wrong', () => {
    const wrong = play(uploading, answered({ kind: 'fault', status: 409 }));
    expect(wrong.state).toMatchObject({ step: 'fault', faultReason: 'server' });
    expect(dos(play(wrong.state, { type: 'retry' }).effects)).toEqual(['drop-photo', 'load']);
    const broken = play(uploading, answered({ kind: 'fault', status: 500 }));
    expect(dos(play(broken.state, { type: 'retry' }).effects)).toEqual(['upload']);
  });
});

describe('a busy service', () => {
  const busy = answered({ kind: 'busy', after: 2 });

  it('is tried again by itself after what it asked for', () => {
    const waiting = play(uploading, busy);
    expect(waiting.state).toMatchObject({ step: 'busy', wait: 2 });
    expect(dos(waiting.effects)).toEqual(['wait']);
    const counted = play(waiting.state, { type: 'tick' });
    expect(counted).toMatchObject({ state: { step: 'busy', wait: 1 }, effects: [] });
    expect(play(counted.state, { type: 'tick' })).toMatchObject({ state: { step: 'uploading' }, effects: [{ do: 'upload' }] });
    expect(play(waiting.state, { type: 'retry' }).state.step).toBe('uploading');
  });

  it('is not tried for ever', () => {
    let state = uploading;
    for (let i = 0; i < TRIES; i++) state = play(state, busy, { type: 'tick' }, { type: 'tick' }).state;
    const enough = play(state, busy);
    expect(enough).toMatchObject({ state: { step: 'busy', wait: null }, effects: [{ do: 'error', reason: 'busy' }] });
    expect(play(enough.state, { type: 'tick' }).state.step).toBe('busy');
    // Asked for by hand, it is.
    expect(play(enough.state, { type: 'retry' }, busy).state).toMatchObject({ step: 'busy', wait: 2, tries: 1 });
  });

  it('waits longer each time where it does not say how long, and never for minutes', () => {
    const vague = answered({ kind: 'busy', after: null });
    const first = play(uploading, vague).state;
    expect(first.wait).toBe(2);
    expect(play(first, { type: 'retry' }, vague).state.wait).toBe(4);
    expect(play(uploading, answered({ kind: 'busy', after: 3600 })).state.wait).toBe(null);
  });
});

it('ignores what does not fit the step', () => {
  const events: Event[] = [
    { type: 'camera' }, { type: 'camera-opened' }, { type: 'camera-failed', reason: 'refused' }, { type: 'camera-ended' }, { type: 'hidden' }, { type: 'shutter' },
    { type: 'photo', source: 'camera' }, { type: 'photo', source: 'file' }, { type: 'still-failed' }, { type: 'use' }, { type: 'progress', part: 1 }, judged(true, 1),
    { type: 'tick' }, { type: 'retry' }, { type: 'over' }, loaded(),
  ];
  for (const step of ['passed', 'failed', 'expired'] satisfies Step[]) {
    for (const event of events) expect(next({ ...uploading, step }, event)).toEqual([{ ...uploading, step }, []]);
  }
});
