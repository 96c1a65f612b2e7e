"""scikit-learn's AUC and DET curve of scores on standard input, one `LABEL SCORE` a line (1 bona fide), as JSON."""

import json
import sys

try:
    import numpy as np
    from sklearn.metrics import brier_score_loss, roc_auc_score, roc_curve
except ModuleNotFoundError as missing:
    print(missing, file=sys.stderr)
    sys.exit(3)

rows = np.array([line.split() for line in sys.stdin], float)
label, score = rows[:, 0].astype(int), rows[:, 1]
false_accept, accept, _ = roc_curve(label, score, drop_intermediate=False)
json.dump(
    {
        "auc": roc_auc_score(label, score),
        "brier": brier_score_loss(label, score),
        "apcer": false_accept.tolist(),
        "bpcer": (1 - accept).tolist(),
    },
    sys.stdout,
)
