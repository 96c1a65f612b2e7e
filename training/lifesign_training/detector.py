"""CenterFace, run as the service runs it, so that training sees the boxes that serving will see."""

from pathlib import Path

import numpy as np
import onnxruntime as ort
from PIL import Image

from .manifest import Box
from .picture import overlap

# Longer side of the copy looked at, and the sides its canvas may have; small faces are found by the second look.
LOOKS = ((192, (128, 160, 192)), (640, (384, 480, 640)))
HEAT = 0.5
NMS_IOU = 0.3
STRIDE = 4  # of the heat map


class Detector:
    def __init__(self, weights: Path):
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self.session = ort.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0].name

    def detect(self, picture: Image.Image) -> list[Box]:
        """Faces, the most certain first; a second, finer look where the first finds none."""
        (first, _), _second = LOOKS
        looks = LOOKS if max(picture.size) > first else LOOKS[:1]  # an enlarged copy shows nothing new
        return next((found for look in looks if (found := self._look(picture, *look))), [])

    def _look(self, picture: Image.Image, long_side: int, sides: tuple[int, ...]) -> list[Box]:
        scale = long_side / max(picture.size)
        width, height = (max(1, round(side * scale)) for side in picture.size)
        rows, columns = (min(side for side in sides if side >= needed) for needed in (height, width))
        canvas = np.zeros((rows, columns, 3), np.float32)
        canvas[:height, :width] = np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR))
        tensor = np.ascontiguousarray(canvas.transpose(2, 0, 1)[None])
        heat, size, offset, _landmarks = self.session.run(None, {self.input: tensor})
        heat, size, offset = heat[0, 0], size[0], offset[0]
        found = []
        for row, column in zip(*np.where(heat > HEAT)):
            h, w = np.exp(size[:, row, column]) * STRIDE
            dy, dx = offset[:, row, column]
            x = (column + dx + 0.5) * STRIDE - w / 2
            y = (row + dy + 0.5) * STRIDE - h / 2
            found.append((float(heat[row, column]), tuple(float(v / scale) for v in (x, y, w, h))))
        kept: list[Box] = []
        for _, box in sorted(found, key=lambda item: -item[0]):
            if all(overlap(box, other) < NMS_IOU for other in kept):
                kept.append(box)
        return kept


def largest(boxes: list[Box]) -> Box | None:
    """The face that is judged."""
    return max(boxes, key=lambda box: box[2] * box[3], default=None)


def box_of_label(boxes: list[Box], labelled: Box) -> Box:
    """For training: the detected box of the labelled face, else the labelled box itself."""
    first = largest(boxes)
    if first and overlap(first, labelled) > 0:
        return first
    best = max(boxes, key=lambda box: overlap(box, labelled), default=None)
    return best if best and overlap(best, labelled) > 0 else labelled
