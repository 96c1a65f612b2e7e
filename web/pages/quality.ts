import type { Quality } from '../src/hints.ts';
import { BLURRED_BELOW, BRIGHT_ABOVE, DARK_BELOW, PITCH_BEYOND, YAW_BEYOND } from '../src/thresholds.ts';

export interface Row { name: string; figure: string; word: string; good: boolean }

/** Below this many pixels between the eyes there is little skin to judge. */
const EYES_NEAR = 40;

/** The figures of a photograph's quality, with a word on each. */
export function describe(quality: Quality): Row[] {
  const turned = (degrees: number, most: number, less: string, more: string) => (Math.abs(degrees) <= most ? 'straight' : degrees < 0 ? less : more);
  const light = quality.brightness < DARK_BELOW ? 'too dark' : quality.brightness > BRIGHT_ABOVE ? 'too bright' : 'good';
  return [
    { name: 'Face', figure: `${Math.round(quality.face_width)} × ${Math.round(quality.face_height)} px`, word: quality.eye_distance < EYES_NEAR ? 'small' : 'large', good: quality.eye_distance >= EYES_NEAR },
    { name: 'Between the eyes', figure: `${Math.round(quality.eye_distance)} px`, word: quality.eye_distance < EYES_NEAR ? 'come closer' : 'good', good: quality.eye_distance >= EYES_NEAR },
    { name: 'Turned sideways', figure: `${Math.round(quality.yaw)}°`, word: turned(quality.yaw, YAW_BEYOND, 'to the left', 'to the right'), good: Math.abs(quality.yaw) <= YAW_BEYOND },
    { name: 'Nodding', figure: `${Math.round(quality.pitch)}°`, word: turned(quality.pitch, PITCH_BEYOND, 'upwards', 'downwards'), good: Math.abs(quality.pitch) <= PITCH_BEYOND },
    { name: 'Light', figure: quality.brightness.toFixed(2), word: light, good: light === 'good' },
    { name: 'Sharpness', figure: String(Math.round(quality.sharpness)), word: quality.sharpness < BLURRED_BELOW ? 'blurred' : 'sharp', good: quality.sharpness >= BLURRED_BELOW },
  ];
}
