"""The reference networks: measured against, and teachers. Each wants its own crop; see the data's README."""

from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort

from .manifest import Box

# file, input size, crop factor, index of the live class
PEERS = {
    "MiniFASNetV2": ("minifasnet_v2_80x80.onnx", 80, 2.7, 1),
    "MiniFASNetV1SE": ("minifasnet_v1se_80x80.onnx", 80, 4.0, 1),
    "MiniFASNetV2SE-128": ("minifasnet_v2se_128x128.onnx", 128, 2.7, 0),
}


def aspect_inside(box: Box, factor: float, width: int, height: int) -> tuple[int, int, int, int]:
    """The peers' crop: the box enlarged about its centre, reduced so that it fits, then shifted inside."""
    x, y, w, h = box
    factor = min(factor, (width - 1) / w, (height - 1) / h)
    w, h, cx, cy = w * factor, h * factor, x + w / 2, y + h / 2
    left = min(max(cx - w / 2, 0), width - 1 - w)
    top = min(max(cy - h / 2, 0), height - 1 - h)
    return int(left), int(top), int(left + w), int(top + h)


class Peers:
    def __init__(self, folder: Path):
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self.networks = []
        for file, size, factor, live in PEERS.values():
            session = ort.InferenceSession(str(folder / file), options, providers=["CPUExecutionProvider"])
            self.networks.append((session, session.get_inputs()[0].name, size, factor, live))

    def logits(self, pixels: np.ndarray, box: Box) -> np.ndarray:
        """log(p / (1 - p)) of the live probability, for each peer; `pixels` are uint8 RGB."""
        height, width = pixels.shape[:2]
        result = []
        for session, name, size, factor, live in self.networks:
            left, top, right, bottom = aspect_inside(box, factor, width, height)
            crop = cv2.resize(pixels[top : bottom + 1, left : right + 1, ::-1], (size, size))
            tensor = np.ascontiguousarray(crop.transpose(2, 0, 1)[None], np.float32)
            z = session.run(None, {name: tensor})[0][0].astype(np.float64)
            others = np.delete(z, live)
            result.append(z[live] - others.max() - np.log1p(np.exp(-abs(others[0] - others[1]))))
        return np.array(result)
