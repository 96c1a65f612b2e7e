import { encodeNow } from './encode.ts';
import type { Box, Look, Size } from './hints.ts';
import { ovalIn } from './hints.ts';
import { FRAME_LONG_SIDE, FRAME_QUALITY } from './thresholds.ts';

/** The part of a picture that `object-fit: cover` shows in a box. */
export function coverCrop(picture: Size, box: Size): Box {
  const scale = Math.max(box.width / picture.width, box.height / picture.height);
  const width = box.width / scale;
  const height = box.height / scale;
  return { x: (picture.width - width) / 2, y: (picture.height - height) / 2, width, height };
}

/** The size of a crop with its long side shortened to `longSide`, and never enlarged. */
export function shrinkTo(crop: Size, longSide: number): Size {
  const scale = Math.min(1, longSide / Math.max(crop.width, crop.height));
  return { width: Math.max(1, Math.round(crop.width * scale)), height: Math.max(1, Math.round(crop.height * scale)) };
}

/** Mean light (0 to 1) and sharpness (variance of the Laplacian) of RGBA pixels. */
export function measure(pixels: Uint8ClampedArray, width: number, height: number): Look {
  const luma = new Float32Array(width * height);
  let light = 0;
  for (let i = 0; i < luma.length; i++) {
    const value = 0.299 * pixels[4 * i]! + 0.587 * pixels[4 * i + 1]! + 0.114 * pixels[4 * i + 2]!;
    luma[i] = value;
    light += value;
  }
  let sum = 0;
  let squares = 0;
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const i = y * width + x;
      const laplacian = luma[i - 1]! + luma[i + 1]! + luma[i - width]! + luma[i + width]! - 4 * luma[i]!;
      sum += laplacian;
      squares += laplacian * laplacian;
    }
  }
  const count = (width - 2) * (height - 2);
  return { light: light / luma.length / 255, sharpness: squares / count - (sum / count) ** 2 };
}

export interface Frame { size: Size; look: Look; encode(): Promise<Blob | null> }

const PATCH = 128;

/** Takes small frames of what a video element shows: the same crop, but not mirrored. */
export class Frames {
  #frame = document.createElement('canvas');
  #patch = document.createElement('canvas');

  /** The frame of this moment; null as long as the video has no picture. */
  grab(video: HTMLVideoElement): Frame | null {
    const picture = { width: video.videoWidth, height: video.videoHeight };
    const box = { width: video.clientWidth, height: video.clientHeight };
    if (video.readyState < 2 || !picture.width || !box.width || !box.height) return null;

    const crop = coverCrop(picture, box);
    const size = shrinkTo(crop, FRAME_LONG_SIDE);
    const frame = this.#frame;
    frame.width = size.width;
    frame.height = size.height;
    const pen = frame.getContext('2d');
    this.#patch.width = this.#patch.height = PATCH;
    const patch = this.#patch.getContext('2d', { willReadFrequently: true });
    if (!pen || !patch) return null;

    pen.drawImage(video, crop.x, crop.y, crop.width, crop.height, 0, 0, size.width, size.height);
    const oval = ovalIn(size);
    patch.drawImage(frame, oval.x - oval.rx, oval.y - oval.rx, 2 * oval.rx, 2 * oval.rx, 0, 0, PATCH, PATCH);
    return {
      size,
      look: measure(patch.getImageData(0, 0, PATCH, PATCH).data, PATCH, PATCH),
      encode: async () => encodeNow(frame, FRAME_QUALITY),
    };
  }
}
