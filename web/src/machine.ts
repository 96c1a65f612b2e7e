import type { CameraReason } from './camera.ts';
import type { LoadOutcome, PhotoOutcome, Session } from './client.ts';

/** What the person sees. */
export type Step =
  | 'loading' | 'welcome' | 'asking' | 'camera-error' | 'live' | 'paused' | 'review' | 'uploading'
  | 'refused' | 'unclear' | 'busy' | 'offline' | 'fault' | 'passed' | 'failed' | 'expired';

export type UnclearReason = (typeof UNCLEAR_REASONS)[number];
export const UNCLEAR_REASONS = [
  'invalid_image', 'no_face_detected', 'multiple_faces_detected', 'face_too_far', 'face_close_to_border', 'face_rotation_too_large', 'too_large', 'other',
] as const;

/** The reason of a fault: `link` is a wrong or missing token. */
export type FaultReason = 'link' | 'server';

/** A short notice beside what the step shows anyway. */
export type Notice = 'still' | 'file' | 'camera';

export interface State {
  step: Step;
  session: Session | null;
  /** A camera can be asked for. */
  camera: boolean;
  /** Where the photograph comes from. */
  source: 'camera' | 'file';
  cameraReason: CameraReason;
  unclearReason: UnclearReason;
  faultReason: FaultReason;
  notice: Notice | null;
  /** What is tried again after `busy`, `offline` and a fault. */
  resume: 'load' | 'upload';
  /** Seconds until it is tried by itself; null where it is not. */
  wait: number | null;
  tries: number;
  /** The part of the photograph that is sent. */
  progress: number;
  /** The shutter was released, the still is on its way. */
  taking: boolean;
  /** The photograph was made smaller, since it was too large as it was. */
  shrunk: boolean;
}

export type Event =
  | { type: 'start'; camera: boolean; link: boolean }
  | { type: 'loaded'; outcome: LoadOutcome }
  | { type: 'camera' }
  | { type: 'camera-opened' }
  | { type: 'camera-failed'; reason: CameraReason }
  | { type: 'camera-ended' }
  | { type: 'hidden' }
  | { type: 'shutter' }
  | { type: 'photo'; source: 'camera' | 'file' }
  | { type: 'still-failed' }
  | { type: 'file-failed' }
  | { type: 'use' }
  | { type: 'progress'; part: number }
  | { type: 'answered'; outcome: PhotoOutcome }
  | { type: 'tick' }
  | { type: 'retry' }
  | { type: 'over' };

/** What the element does for the machine; `ready`, `retry`, `finish` and `error` become events for the page. */
export type Effect =
  | { do: 'load' | 'open-camera' | 'close-camera' | 'take-still' | 'drop-photo' | 'upload' | 'shrink' | 'wait' | 'ready' }
  | { do: 'finish'; passed: boolean }
  | { do: 'retry' | 'error'; reason: string };

/** How often it is tried again by itself before the person has to ask for it. */
export const TRIES = 4;

/** A longer wait than this is not sat through: the person is told to come back. */
const LONGEST_WAIT = 60;

export const START: State = {
  step: 'loading', session: null, camera: true, source: 'camera', cameraReason: 'unknown', unclearReason: 'other', faultReason: 'server', notice: null,
  resume: 'load', wait: null, tries: 0, progress: 0, taking: false, shrunk: false,
};

type Turn = [State, Effect[]];

/** The whole flow: what follows from an event, and what is to be done. An event that does not fit the step changes nothing. */
export function next(state: State, event: Event): Turn {
  const stay: Turn = [state, []];
  const live = state.step === 'live' || state.step === 'asking';

  switch (event.type) {
    case 'start':
      if (!event.link) return fault({ ...START, camera: event.camera }, 'link');
      return [{ ...START, camera: event.camera }, [{ do: 'load' }]];

    case 'loaded':
      return state.step === 'loading' ? loaded(state, event.outcome) : stay;

    case 'camera':
      if (!state.session || !['welcome', 'camera-error', 'live', 'paused', 'review', 'refused', 'unclear'].includes(state.step)) return stay;
      return [
        { ...state, step: 'asking', source: 'camera', notice: null, taking: false },
        [{ do: 'drop-photo' }, { do: 'close-camera' }, { do: 'open-camera' }],
      ];

    case 'camera-opened':
      return state.step === 'asking' ? [{ ...state, step: 'live' }, []] : stay;

    case 'camera-failed':
      if (state.step !== 'asking') return stay;
      return [{ ...state, step: 'camera-error', cameraReason: event.reason }, [{ do: 'close-camera' }, { do: 'error', reason: `camera_${event.reason}` }]];

    case 'camera-ended':
      return state.step === 'live' ? [{ ...state, step: 'paused', notice: 'camera', taking: false }, [{ do: 'close-camera' }]] : stay;

    case 'hidden':
      return state.step === 'live' ? [{ ...state, step: 'paused', notice: null, taking: false }, [{ do: 'close-camera' }]] : stay;

    case 'shutter':
      return state.step === 'live' && !state.taking ? [{ ...state, taking: true, notice: null }, [{ do: 'take-still' }]] : stay;

    case 'still-failed':
      return state.step === 'live' ? [{ ...state, taking: false, notice: 'still' }, []] : stay;

    case 'photo':
      if (!state.session || ['loading', 'uploading', 'busy', 'offline', 'fault', 'passed', 'failed', 'expired'].includes(state.step)) return stay;
      if (event.source === 'camera' && state.step !== 'live') return stay;
      return [{ ...state, step: 'review', source: event.source, notice: null, taking: false, shrunk: false, tries: 0 }, [{ do: 'close-camera' }]];

    case 'file-failed':
      return [{ ...state, notice: 'file' }, []];

    case 'use':
      return state.step === 'review' ? upload({ ...state, tries: 0 }) : stay;

    case 'progress':
      return state.step === 'uploading' ? [{ ...state, progress: event.part }, []] : stay;

    case 'answered':
      return state.step === 'uploading' ? answered(state, event.outcome) : stay;

    case 'tick': {
      if (state.step !== 'busy' || state.wait === null) return stay;
      return state.wait > 1 ? [{ ...state, wait: state.wait - 1 }, []] : again(state);
    }

    case 'retry':
      return ['busy', 'offline', 'fault'].includes(state.step) ? again(state) : stay;

    case 'over':
      // The time is up. What is under way gets the service's own answer; anything else is asked again.
      if (['loading', 'uploading', 'passed', 'failed', 'expired', 'fault'].includes(state.step)) return stay;
      return [{ ...state, step: 'loading', taking: false }, [...(live ? [{ do: 'close-camera' } as Effect] : []), { do: 'drop-photo' }, { do: 'load' }]];
  }
}

function loaded(state: State, outcome: LoadOutcome): Turn {
  switch (outcome.kind) {
    case 'session': {
      const known = { ...state, session: outcome.session };
      if (outcome.session.status === 'expired') return expired(known);
      if (outcome.session.status === 'finished') return finished(known, outcome.session.passed === true);
      return [{ ...known, step: 'welcome', tries: 0 }, [{ do: 'ready' }]];
    }
    default:
      return failed({ ...state, resume: 'load' }, outcome);
  }
}

function answered(state: State, outcome: PhotoOutcome): Turn {
  switch (outcome.kind) {
    case 'judged': {
      const known = left(state, outcome.uploadsLeft);
      if (outcome.passed) return finished(known, true);
      if (outcome.status === 'finished') return finished(known, false);
      return [{ ...known, step: 'refused' }, [{ do: 'drop-photo' }, { do: 'retry', reason: 'not_live' }]];
    }
    case 'unclear': {
      const session = outcome.session ?? (state.session && { ...state.session, uploadsLeft: state.session.uploadsLeft - 1 });
      const known = { ...state, session };
      if (outcome.session?.status === 'expired') return expired(known);
      if (outcome.session?.status === 'finished') return finished(known, outcome.session.passed === true);
      return unclear(known, outcome.reason);
    }
    case 'over': {
      const known = { ...state, session: outcome.session ?? state.session };
      // The answer of a photograph may have been lost on its way: then the session knows how it ended.
      if (outcome.session?.status === 'finished') return finished(known, outcome.session.passed === true);
      return outcome.expired || outcome.session?.status === 'expired' ? expired(known) : failed({ ...known, resume: 'load' }, { kind: 'offline' });
    }
    case 'too-large':
      return state.shrunk ? unclear(state, 'too_large') : [{ ...state, shrunk: true, progress: 0 }, [{ do: 'shrink' }]];
    case 'fault':
      // A nonce or a state that this page does not know any more: it is asked for again, and the photograph with it.
      return failed({ ...state, resume: outcome.status === 409 ? 'load' : 'upload' }, outcome);
    default:
      return failed({ ...state, resume: 'upload' }, outcome);
  }
}

function failed(state: State, outcome: Extract<LoadOutcome, { kind: 'busy' | 'offline' | 'denied' | 'fault' }>): Turn {
  switch (outcome.kind) {
    case 'busy': {
      const wait = Math.max(1, outcome.after ?? 2 ** (state.tries + 1));
      const alone = state.tries < TRIES && wait <= LONGEST_WAIT;
      return [
        { ...state, step: 'busy', wait: alone ? wait : null, tries: state.tries + 1 },
        alone ? [{ do: 'wait' }] : [{ do: 'error', reason: 'busy' }],
      ];
    }
    case 'offline':
      return [{ ...state, step: 'offline' }, [{ do: 'error', reason: 'offline' }]];
    case 'denied':
      return fault(state, 'link');
    case 'fault':
      return fault(state, 'server');
  }
}

function again(state: State): Turn {
  // Asked for by hand, it may be tried by itself as often as at first.
  const fresh = state.wait === null ? { ...state, tries: 0 } : state;
  return state.resume === 'upload' ? upload(fresh) : [{ ...fresh, step: 'loading', wait: null }, [{ do: 'drop-photo' }, { do: 'load' }]];
}

function upload(state: State): Turn {
  return [{ ...state, step: 'uploading', progress: 0, wait: null, notice: null }, [{ do: 'upload' }]];
}

function unclear(state: State, reason: string): Turn {
  const known = UNCLEAR_REASONS.find((one) => one === reason) ?? 'other';
  return [{ ...state, step: 'unclear', unclearReason: known }, [{ do: 'drop-photo' }, { do: 'retry', reason: reason || known }]];
}

function finished(state: State, passed: boolean): Turn {
  return [{ ...state, step: passed ? 'passed' : 'failed' }, [{ do: 'drop-photo' }, { do: 'finish', passed }]];
}

function expired(state: State): Turn {
  return [{ ...state, step: 'expired' }, [{ do: 'drop-photo' }, { do: 'error', reason: 'session_expired' }]];
}

function fault(state: State, faultReason: FaultReason): Turn {
  return [{ ...state, step: 'fault', faultReason }, [{ do: 'error', reason: faultReason === 'link' ? 'unauthorized' : 'server' }]];
}

function left(state: State, uploadsLeft: number): State {
  return { ...state, session: state.session && { ...state.session, uploadsLeft } };
}
