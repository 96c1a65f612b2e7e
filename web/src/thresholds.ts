/**
 * When the person is told what. Each figure has its reason; the service judges the photograph with its own.
 */

/** Milliseconds between two frames: about three a second follow a moving head, and stay below the service's five a second. */
export const FRAME_EVERY = 350;

/** Pixels of a frame's long side: enough for the detector, and little enough for a slow uplink. */
export const FRAME_LONG_SIDE = 320;

/** JPEG quality of a frame: guidance needs no more, and the frame stays far below 128 KiB. */
export const FRAME_QUALITY = 0.7;

/** Face width as a part of the shown width: below this the photograph has too few pixels of the face, and it is too far. */
export const FAR_BELOW = 0.22;

/** Above this the wide lens of a phone bends the face, nothing around it is left to judge, and it is too close. */
export const CLOSE_ABOVE = 0.6;

/** A box that ends this near the frame's edge (part of the frame) was cut off by it: detectors clip their boxes there. */
export const EDGE = 0.005;

/** How far the face's middle may lie from the oval's, in radii of the oval: at half a radius it plainly looks off. */
export const OVAL_REACH = 0.5;

/** Degrees to either side: a glance at a second screen is more than this, natural asymmetry is less. */
export const YAW_BEYOND = 20;

/** Degrees up or down: a phone held at chest height stays below it, one on a table does not. */
export const PITCH_BEYOND = 20;

/** Mean light of the face, 0 to 1: below this the camera's noise hides the skin. */
export const DARK_BELOW = 0.2;

/** Above this the skin is washed out: a lamp or the sun shines right into the face. */
export const BRIGHT_ABOVE = 0.9;

/** Variance of the Laplacian at 128 x 128: 95 % of good webcam frames have more than 22, so that below 15 it is plainly blurred. */
export const BLURRED_BELOW = 15;

/** Mean light of the middle of the frame below which no detector finds a face, so that the frame is not worth sending. */
export const HOPELESS_BELOW = 0.06;

/** Equal hints in a row before one is shown: a single odd frame must not make the text flicker. */
export const HINT_HOLDS = 2;

/** Good frames in a row before the shutter goes off: about a second of holding still. */
export const GOOD_IN_A_ROW = 3;

/** Milliseconds after the start in which the shutter does not go off by itself: exposure settles, and the person sees themselves first. */
export const SETTLE = 1200;

/** Milliseconds between two announcements to a screen reader: it must be able to finish its sentence. */
export const ANNOUNCE_EVERY = 2000;

/** Milliseconds without frames to the service after it failed without saying for how long. */
export const SERVICE_PAUSE = 4000;

/** Most pixels asked of the camera for the still: more only takes longer to send, the face is judged at far fewer. */
export const STILL_PIXELS = 12_000_000;

/** JPEG quality of the still: high, since traces of a screen or a print are fine patterns. */
export const STILL_QUALITY = 0.92;

/** Most bytes of the still: half of what the service takes by default. */
export const STILL_BYTES = 8 * 1024 * 1024;

/** Milliseconds that the camera may take for its first picture, and for a photograph of its own: some drivers never answer. */
export const STILL_TIMEOUT = 3000;
