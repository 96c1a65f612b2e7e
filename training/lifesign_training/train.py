"""From a manifest to models/pad: boxes, pool, folds, fine-tuning, calibration, export. `--help` lists the switches."""

import json

import numpy as np

from .finish import finish
from .folds import joined, run_folds
from .loop import fit, mean_of, networks_with
from .options import parsed, training_options
from .prepare import prepare
from .views import VIEWS

# In the folds the imitated teachers held better than the learnt labels on sources unlike all others: the last steps go there.
FINAL_TEACHERS_SHARE = 2.0


def main() -> None:
    parser = training_options(__doc__)
    parser.add_argument("--final-steps", type=int, default=1500, help="on all sources, from the mean of the folds' networks")
    parser.add_argument("--final-rate", type=float, default=1e-4)
    options = parsed(parser)
    data = prepare(options)
    held, unseen = run_folds(data, options, options.cache / "folds")
    # Every source has taught the networks of all folds but its own: their mean is a beginning that knows all sources.
    networks = networks_with(mean_of([own.networks.state_dict() for own in held]))
    networks = fit(networks, data.pool, np.arange(len(data.pool)), options, options.cache / "final.pt", lambda _: "none is left",
                   steps=options.final_steps, head_steps=0, rate=options.final_rate, teachers_share=FINAL_TEACHERS_SHARE)
    summary = finish(networks, VIEWS, *joined(held), np.concatenate(unseen), options.out)
    print(json.dumps(summary, indent=1))


if __name__ == "__main__":
    main()
