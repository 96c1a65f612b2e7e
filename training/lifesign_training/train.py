"""From a manifest to models/pad: boxes, fine-tuning, calibration, export. `--help` lists the switches."""

import json

from .cache import Pictures, detected_boxes
from .detector import box_of_label
from .finish import finish
from .held_out import divide
from .judge import Judged
from .loop import fit
from .manifest import read_manifest
from .options import parsed, training_options
from .views import VIEWS


def main() -> None:
    parser = training_options(__doc__)
    parser.add_argument("--final", action="store_true", help="once all choices are made: train on the whole `train` split, calibrate on `dev`")
    options = parsed(parser)
    training, held_out = divide(read_manifest(options.manifest), options.final)
    samples = training + held_out
    found = detected_boxes(samples, options.images, options.detector, options.cache)
    boxes = {sample.image: box_of_label(found[sample.image], sample.box) for sample in samples}
    judged = Judged(held_out, options.images, boxes)
    networks = fit(training, boxes, Pictures(training, options.images, options.cache), options, judged.report)
    summary = finish(networks, VIEWS, judged.logits(networks), judged.attack, judged.source, options.out)
    print(json.dumps(summary, indent=1))


if __name__ == "__main__":
    main()
