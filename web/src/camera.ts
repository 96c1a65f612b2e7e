/** Why the camera cannot be used; each has its own explanation. */
export const CAMERA_REASONS = ['refused', 'missing', 'in_use', 'insecure', 'blocked', 'unknown'] as const;
export type CameraReason = (typeof CAMERA_REASONS)[number];

export class CameraError extends Error {
  readonly reason: CameraReason;

  constructor(reason: CameraReason) {
    super(reason);
    this.reason = reason;
  }
}

export interface Camera {
  stream: MediaStream;
  track: MediaStreamTrack;
  /** Faces the person, so that its preview is shown as a mirror. */
  front: boolean;
  device: string;
}

export interface Device { id: string; label: string }

/** Can this page ask for a camera at all? */
export function cameraOffered(): boolean {
  return typeof navigator.mediaDevices?.getUserMedia === 'function';
}

/** What an exception of getUserMedia means for the person. */
export function reasonOf(error: unknown, policyAllows = permittedByPolicy(), secure = window.isSecureContext): CameraReason {
  if (!secure) return 'insecure';
  switch (error instanceof Error || error instanceof DOMException ? error.name : '') {
    case 'NotAllowedError':
    case 'PermissionDeniedError':
      // A frame without allow="camera" is refused under the same name as a person's refusal.
      return policyAllows ? 'refused' : 'blocked';
    case 'SecurityError':
      return 'blocked';
    case 'NotFoundError':
    case 'DevicesNotFoundError':
      return 'missing';
    case 'NotReadableError':
    case 'TrackStartError':
    case 'AbortError':
      return 'in_use';
    default:
      return 'unknown';
  }
}

/** Only Chromium tells what the page's policy allows; elsewhere the person's own refusal is the likelier cause. */
function permittedByPolicy(): boolean {
  const policy = (document as Document & { featurePolicy?: { allowsFeature(feature: string): boolean } }).featurePolicy;
  return policy ? policy.allowsFeature('camera') : true;
}

/** What to ask for, from the wish to the least: the next is tried where the cameras cannot meet one. */
export function wishes(device: string | null): MediaTrackConstraints[] {
  const size = { width: { ideal: 1920 }, height: { ideal: 1080 } };
  const front = { facingMode: 'user' };
  return device ? [{ deviceId: { exact: device }, ...size }, { ...front, ...size }, {}] : [{ ...front, ...size }, front, {}];
}

export async function openCamera(device: string | null): Promise<Camera> {
  if (!cameraOffered()) throw new CameraError(window.isSecureContext ? 'unknown' : 'insecure');
  for (const video of wishes(device)) {
    try {
      return opened(await navigator.mediaDevices.getUserMedia({ audio: false, video }));
    } catch (error) {
      if (!(error instanceof Error) || (error.name !== 'OverconstrainedError' && error.name !== 'ConstraintNotSatisfiedError')) throw new CameraError(reasonOf(error));
    }
  }
  throw new CameraError('unknown');
}

function opened(stream: MediaStream): Camera {
  const track = stream.getVideoTracks()[0];
  if (!track) throw new CameraError('missing');
  const settings = track.getSettings();
  // The cameras of desktops say nothing, and stand in front of the person.
  const front = settings.facingMode !== undefined && settings.facingMode !== '' ? settings.facingMode === 'user' : !/back|rear|environment/i.test(track.label);
  return { stream, track, front, device: settings.deviceId ?? '' };
}

export function closeCamera(camera: Camera | null): void {
  camera?.stream.getTracks().forEach((track) => track.stop());
}

/** The cameras to choose from. Their names are only known once one of them was allowed. */
export async function listDevices(): Promise<Device[]> {
  try {
    const devices = await navigator.mediaDevices.enumerateDevices();
    return devices.filter((device) => device.kind === 'videoinput' && device.deviceId !== '').map(({ deviceId, label }) => ({ id: deviceId, label }));
  } catch {
    return [];
  }
}

/** False where the browser knows that there is no camera: then a photograph can be uploaded at once. */
export async function cameraLikely(): Promise<boolean> {
  if (!cameraOffered()) return false;
  try {
    return (await navigator.mediaDevices.enumerateDevices()).some((device) => device.kind === 'videoinput');
  } catch {
    return true;
  }
}
