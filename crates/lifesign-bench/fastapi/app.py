"""What one would write instead of Lifesign: FastAPI, OpenCV and ONNX Runtime around the same networks.

It finds and crops the face as Lifesign does, and has nothing else: no tokens, limits, records or receipts.
Run by `lifesign-bench peer`; by hand: MODELS=../../../models uvicorn app:app --workers 2
"""

import base64
import math
import os
import tomllib
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

MODELS = Path(os.environ["MODELS"])
# Longer side of the copy that the detector looks at, and the sides its canvas may have.
LOOKS = [(192, [128, 160, 192]), (640, [384, 480, 640])]

cv2.setNumThreads(1)  # each worker process has a core
CARD = tomllib.loads((MODELS / "pad/card.toml").read_text())


def network(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


DETECTOR = network(MODELS / "detector/centerface.onnx")
VIEWS = [(view, network(MODELS / "pad" / view["weights"])) for view in CARD["view"]]


def resized(picture, width, height):
    shrinks = width < picture.shape[1] or height < picture.shape[0]
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def largest_face(picture):
    """Left, top, width and height of the largest face, in pixels, or None."""
    height, width = picture.shape[:2]
    for longer, sides in LOOKS:
        scale = longer / max(width, height)
        copy = resized(picture, max(round(width * scale), 1), max(round(height * scale), 1))
        rows, columns = (next(side for side in sides if side >= length) for length in copy.shape[:2])
        canvas = np.zeros((1, 3, rows, columns), np.float32)
        canvas[0, :, : copy.shape[0], : copy.shape[1]] = copy.transpose(2, 0, 1)
        heat, sizes, offsets, _ = DETECTOR.run(None, {DETECTOR.get_inputs()[0].name: canvas})
        y, x = np.nonzero(heat[0, 0] > 0.5)
        if len(y):
            box_height, box_width = np.exp(sizes[0, :, y, x]).T * 4
            centre_y, centre_x = (offsets[0, :, y, x] + 0.5).T + (y, x)
            boxes = np.stack([centre_x * 4 - box_width / 2, centre_y * 4 - box_height / 2, box_width, box_height], 1)
            # Of one face's centres the most probable counts.
            kept = cv2.dnn.NMSBoxes(boxes.tolist(), heat[0, 0, y, x].tolist(), 0.5, 0.3)
            return max((boxes[nth] for nth in kept), key=lambda box: box[2] * box[3]) / scale
    return None


def crop(picture, face, view):
    """The square of so many face boxes about the face, shifted inside the picture, as the network takes it."""
    height, width = picture.shape[:2]
    side = min(view["crop"]["factor"] * max(face[2], face[3]), width, height)
    left = min(max(face[0] + face[2] / 2 - side / 2, 0), width - side)
    top = min(max(face[1] + face[3] / 2 - side / 2, 0), height - side)
    left, top, side = round(left), round(top), max(round(side), 1)
    square = picture[top : top + side, left : left + side]
    pixels = resized(square, view["input"]["width"], view["input"]["height"]).astype(np.float32) / 255
    pixels = (pixels - np.float32(view["input"]["mean"])) / np.float32(view["input"]["std"])
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])


class Request(BaseModel):
    os: str
    image: str
    liveness_min_score: float = 0.6


app = FastAPI()


@app.post("/liveness")
async def liveness(request: Request):
    # Not in a thread: there is a process for each core, and each does one photograph at a time.
    encoded = np.frombuffer(base64.b64decode(request.image), np.uint8)
    picture = cv2.imdecode(encoded, cv2.IMREAD_COLOR_RGB)
    if picture is None:
        raise HTTPException(422, "no picture")
    face = largest_face(picture)
    if face is None:
        raise HTTPException(422, "no face")
    raw = 0.0
    for view, session in VIEWS:
        (logits,) = session.run(None, {session.get_inputs()[0].name: crop(picture, face, view)})
        raw += view["weight"] * float(logits[0, view["output"]["index"]])
    calibration = CARD["calibration"]["default"]
    score = 1 / (1 + math.exp(-(calibration["slope"] * raw + calibration["intercept"])))
    return {"passed": score > request.liveness_min_score, "liveness_score": round(score, 4)}
