// The videos that Chromium plays as its camera, drawn from the public-domain pictures in tests/images. A video is
// as live as its picture: what is tested is the way through the browser, not how good the networks are.
import { spawnSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { IMAGES, LIFESIGN, VIDEOS } from './paths.js';

const WIDTH = 1280;
const HEIGHT = 720;
/** Where the picture lies in each frame, in pixels to the right and down: nobody holds perfectly still. */
const MOTION = [[0, 0], [1, 0], [2, 1], [1, 1]];

/** Each picture enlarged by `scale` around the point `at` of it, which comes to lie at the point `to` of the frame, mirrored where it says so. */
export const CAMERAS = {
  /** A face in the middle, 45 % of the height. */
  live: [{ picture: 'live_portrait.jpg', scale: 2.85, at: [227, 122], to: [640, 346] }],
  /** The same face on a display. */
  spoof: [{ picture: 'spoof_screen.jpg', scale: 2, at: [322, 208], to: [640, 360] }],
  nobody: [{ picture: 'no_face.jpg', scale: 2, at: [320, 213], to: [640, 360] }],
  /** The face, and its mirror image beside it. */
  two: [
    { picture: 'live_portrait.jpg', scale: 2.2, at: [227, 122], to: [490, 360], clip: [0, 640] },
    { picture: 'live_portrait.jpg', scale: 2.2, at: [227, 122], to: [790, 360], clip: [640, 1280], mirrored: true },
  ],
};

export const video = (name) => path.join(VIDEOS, `${name}.mjpeg`);
/** One frame of a video, to be uploaded as a file. */
export const still = (name) => path.join(VIDEOS, `${name}.jpg`);

/** Draws all videos in a browser, and holds a frame of each against what the service has to say to it. */
export async function makeVideos(browser) {
  await mkdir(VIDEOS, { recursive: true });
  const page = await browser.newPage();
  for (const [name, layers] of Object.entries(CAMERAS)) {
    const drawn = await Promise.all(layers.map(async (layer) => ({
      ...layer, url: `data:image/jpeg;base64,${await readFile(path.join(IMAGES, layer.picture), 'base64')}`,
    })));
    const frames = (await page.evaluate(draw, { layers: drawn, size: [WIDTH, HEIGHT], motion: MOTION })).map((frame) => Buffer.from(frame, 'base64'));
    // Chromium reads JPEG frames one after another, shows 30 a second, and begins again at the end.
    await writeFile(video(name), Buffer.concat(frames.flatMap((frame) => Array(8).fill(frame))));
    await writeFile(still(name), frames[0]);
  }
  await page.close();
  holdAgainstService();
}

/** In the browser. */
async function draw({ layers, size: [width, height], motion }) {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const pen = canvas.getContext('2d');
  pen.imageSmoothingQuality = 'high';
  const pictures = await Promise.all(layers.map(async ({ url }) => {
    const picture = new Image();
    picture.src = url;
    await picture.decode();
    return picture;
  }));
  return motion.map(([right, down]) => {
    // What no picture covers is a wall.
    pen.fillStyle = '#7d8288';
    pen.fillRect(0, 0, width, height);
    layers.forEach(({ scale, at, to, clip, mirrored }, i) => {
      pen.save();
      if (clip) {
        pen.beginPath();
        pen.rect(clip[0], 0, clip[1] - clip[0], height);
        pen.clip();
      }
      pen.translate(to[0] + right, to[1] + down);
      pen.scale(mirrored ? -scale : scale, scale);
      pen.drawImage(pictures[i], -at[0], -at[1]);
      pen.restore();
    });
    return canvas.toDataURL('image/jpeg', 0.95).split(',')[1];
  });
}

function holdAgainstService() {
  // It ends with 1, since some of them cannot be judged.
  const { stdout, error } = spawnSync(LIFESIGN, ['check', '--json', ...Object.keys(CAMERAS).map(still)], { encoding: 'utf8' });
  if (error) throw error;
  const said = Object.fromEntries(stdout.trim().split('\n').map(JSON.parse).map((line) => [path.basename(line.image, '.jpg'), line]));
  const fine = said.live.liveness_score > 0.6 && said.spoof.liveness_score < 0.6
    && said.nobody.failureReason === 'no_face_detected' && said.two.failureReason === 'multiple_faces_detected';
  if (!fine) throw new Error(`the drawn pictures are not what the tests take them for:\n${stdout}`);
}
