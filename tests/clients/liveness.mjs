// Node 18 or newer: node liveness.mjs IMAGE
// LIFESIGN_URL is the service's address, LIFESIGN_TOKEN an access token.
import { readFile } from "node:fs/promises";

const { LIFESIGN_URL, LIFESIGN_TOKEN } = process.env;
const image = await readFile(process.argv[2], { encoding: "base64" });

const response = await fetch(`${LIFESIGN_URL}/v2/face-recognition/liveness`, {
  method: "POST",
  headers: {
    Accept: "application/json",
    "Content-Type": "application/json",
    Authorization: `Bearer ${LIFESIGN_TOKEN}`,
  },
  body: JSON.stringify({ os: "DESKTOP", image, liveness_min_score: 0.6 }),
});
console.log(JSON.stringify(await response.json()));
process.exitCode = response.ok ? 0 : 1;
