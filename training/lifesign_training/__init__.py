"""Training, calibration, export and evaluation of Lifesign's presentation attack detection networks."""

import os

# Before PyTorch loads: waiting threads sleep instead of spinning, or a step takes twice as long on a busy machine.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
