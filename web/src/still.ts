import { encodeNow } from './encode.ts';
import type { Size } from './hints.ts';
import { STILL_BYTES, STILL_PIXELS, STILL_QUALITY, STILL_TIMEOUT } from './thresholds.ts';

const ACCEPTED = ['image/jpeg', 'image/png', 'image/webp'];

// Not in every browser, and not in TypeScript's library.
interface PhotoRange { min: number; max: number; step: number }
interface ImageCapture {
  getPhotoCapabilities(): Promise<{ imageWidth?: PhotoRange; imageHeight?: PhotoRange }>;
  takePhoto(settings?: { imageWidth?: number; imageHeight?: number }): Promise<Blob>;
}
type ImageCaptureClass = new (track: MediaStreamTrack) => ImageCapture;

/** The largest photograph that the camera names, and at most as many pixels as are wanted. */
export function photoSize(width: number, height: number, most = STILL_PIXELS): Size {
  const scale = Math.min(1, Math.sqrt(most / (width * height)));
  return { width: Math.floor(width * scale), height: Math.floor(height * scale) };
}

/**
 * The photograph at the camera's full resolution, never mirrored: from the camera's own photo mode where that exists and works,
 * else the video's picture. It is the whole picture, though the preview shows a part.
 */
export async function takeStill(video: HTMLVideoElement, track: MediaStreamTrack): Promise<Blob> {
  await firstPicture(video);
  // Drawn first, since it is the moment that the person chose: the camera's photo mode may take a second, and fail.
  const frame = canvasOf(video, { width: video.videoWidth, height: video.videoHeight });
  const photo = await photograph(track);
  if (photo) {
    const size = await sizeOf(photo);
    // Webcams' photographs often come as PNG: several times the bytes to send, for the same face.
    if (size && size.width * size.height >= frame.width * frame.height) return fit(photo, ['image/jpeg']);
  }
  return fit(await encode(frame));
}

/** Waits for the camera's first picture, where the person was quicker than it. */
async function firstPicture(video: HTMLVideoElement): Promise<void> {
  if (video.videoWidth) return;
  await new Promise<void>((done) => {
    const timer = setTimeout(done, STILL_TIMEOUT);
    video.addEventListener('loadeddata', () => { clearTimeout(timer); done(); }, { once: true });
  });
}

async function photograph(track: MediaStreamTrack): Promise<Blob | null> {
  const Class = (window as { ImageCapture?: ImageCaptureClass }).ImageCapture;
  if (!Class) return null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<null>((done) => { timer = setTimeout(() => done(null), STILL_TIMEOUT); });
  try {
    return await Promise.race([late, take(new Class(track))]);
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
  }
}

async function take(capture: ImageCapture): Promise<Blob> {
  const { imageWidth, imageHeight } = await capture.getPhotoCapabilities();
  if (!imageWidth?.max || !imageHeight?.max) return capture.takePhoto();
  const size = photoSize(imageWidth.max, imageHeight.max);
  return capture.takePhoto({ imageWidth: size.width, imageHeight: size.height });
}

/** A file that the person chose, as the service takes it; null where it is no picture that this browser can read. */
export async function readFile(file: Blob): Promise<Blob | null> {
  try {
    return (await sizeOf(file)) ? await fit(file) : null;
  } catch {
    return null;
  }
}

/** As it is where the service takes it, else encoded again: in a format that it knows, and small enough. */
async function fit(photo: Blob, accepted = ACCEPTED): Promise<Blob> {
  if (accepted.includes(photo.type) && photo.size <= STILL_BYTES) return photo;
  return smaller(photo, STILL_BYTES);
}

/** The same photograph in at most so many bytes, with as many pixels as fit. */
export async function smaller(photo: Blob, bytes: number): Promise<Blob> {
  const picture = await decode(photo);
  let size = photoSize(picture.width, picture.height);
  for (let tries = 0; ; tries++) {
    const blob = await encode(canvasOf(picture, size));
    if (blob.size <= bytes || tries === 5) return blob;
    const scale = Math.min(0.9, 0.95 * Math.sqrt(bytes / blob.size));
    size = { width: Math.max(1, Math.round(size.width * scale)), height: Math.max(1, Math.round(size.height * scale)) };
  }
}

async function sizeOf(photo: Blob): Promise<Size | null> {
  try {
    const picture = await decode(photo);
    const { width, height } = picture;
    picture.close();
    return { width, height };
  } catch {
    return null;
  }
}

/** Upright: the rotation that the file names is applied. */
function decode(photo: Blob): Promise<ImageBitmap> {
  return createImageBitmap(photo);
}

function canvasOf(picture: CanvasImageSource, { width, height }: Size): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const pen = canvas.getContext('2d');
  if (!pen || !width || !height) throw new Error('no picture');
  pen.drawImage(picture, 0, 0, width, height);
  return canvas;
}

async function encode(canvas: HTMLCanvasElement): Promise<Blob> {
  const blob = encodeNow(canvas, STILL_QUALITY);
  if (!blob) throw new Error('not encoded');
  return blob;
}
