"""``make train``: the whole recipe, one step after the other; what is done already is not done again.

    python -m training [--steps 1800] [--seed 1] [--version 2.0] [--data FOLDER]

Mining, training, the choice on tune, the calibration on tune. Each step is a module of its own, with its own
options; a run that was stopped goes on from its last look. Left out: measuring (``training/README.md``), since
held-out sets are looked at once, at the end, and not each time that somebody trains.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from training.mix import MIX_FILE
from training.readers import add_data_option, data_folder
from training.train import RUNS

STEPS = 1800


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the embedded cross-encoder's weights again.")
    add_data_option(parser)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--version", default="local")
    parser.add_argument("--name", default="wired", help="folder of the run under training/runs")
    options = parser.parse_args()
    data = ["--data", str(data_folder(options.data))]
    run = RUNS / options.name
    steps = [] if MIX_FILE.exists() else [["mix", *data]]
    resume = ["--resume"] if (run / "last.pt").exists() else []
    named = ["--name", options.name]
    length = ["--steps", str(options.steps), "--seed", str(options.seed)]
    steps += [
        ["train", *data, *named, *length, *resume],
        ["choose", *data, *named, "--version", options.version],
        ["calibrate", *data],
    ]
    # Threads that wait by spinning take the cores from those that work, wherever anything else runs.
    environment = {"OMP_WAIT_POLICY": "PASSIVE", **os.environ}
    for module, *arguments in steps:
        print(f"training.{module} ...", flush=True)
        done = subprocess.run(
            [sys.executable, "-m", f"training.{module}", *arguments], env=environment, check=False
        )
        if done.returncode:
            raise SystemExit(f"training.{module} ended with {done.returncode}; its lines say why.")


if __name__ == "__main__":
    main()
