"""What trials of the ready spaces reach: by their defaults, and by random values of each preset.

python -m benchmarks.presets
"""

from __future__ import annotations

import os
import tempfile
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

import hypermodels
import kt_hpo
from benchmarks import measuring

TRIALS, PRESETS = 16, ("small", "wide")
# A space and its data: how many epochs a trial has.
EPOCHS = {
    ("CNN", "mnist5k"): 4,
    ("CNN", "digits"): 5,
    ("MLP", "digits"): 10,
    ("MLP", "breast_cancer"): 20,
    ("MLP", "wine"): 20,
}


def scores(space: str, data: str, preset: str, epochs: int, trials: int) -> list[float]:
    """The validation accuracy of the defaults, then of random values; 0 where a trial failed."""
    train, validation, _ = kt_hpo.datasets.load(data)
    hypermodel = getattr(hypermodels, f"{space}HyperModel")(
        train.input_shape,
        num_classes=train.num_classes,
        preset=preset,
        train_size=len(train),
        epochs=epochs,
    )
    with tempfile.TemporaryDirectory() as directory:
        tuner = kt_hpo.RandomSearch(
            hypermodel,
            "val_accuracy",
            max_trials=1 + trials,
            max_consecutive_failed_trials=1 + trials,
            try_defaults=True,
            seed=0,
            directory=directory,
        )
        tuner.search(*train.arrays, validation_data=validation.arrays, epochs=epochs, verbose=0)
        return [trial.value or 0.0 for trial in tuner.study.trials]


def section(results: dict[str, Any]) -> str:
    """Tells the results."""
    rows = []
    for one in results["rows"]:
        told = [
            "{:.3f}, **{:.3f}**, {:.3f}".format(*np.quantile(one[preset], (0.25, 0.5, 0.75)))
            for preset in PRESETS
        ]
        rows.append(
            [f"{one['space']}, {one['data']}", one["epochs"], f"{one['defaults']:.3f}", *told]
        )
    columns = {
        "": "l",
        "epochs": "r",
        "defaults": "r",
        **{f"{name}: quartiles": "r" for name in PRESETS},
    }
    return (
        f"Validation accuracy: one training by the defaults, and the quartiles of {TRIALS} random "
        "draws from the ranges of each preset, seed 0.\n\n" + measuring.markdown(columns, rows)
    )


def main() -> None:
    options = measuring.arguments(__doc__).parse_args()
    load, trials, rows = measuring.load(), 2 if options.quick else TRIALS, []
    for (space, data), epochs in EPOCHS.items():
        if options.quick and data != "wine":
            continue
        row = {"space": space, "data": data, "epochs": epochs}
        for preset in PRESETS:
            row["defaults"], *row[preset] = scores(space, data, preset, epochs, trials)
        rows.append(row)
        print(row, flush=True)
    measuring.write("presets", options, load, rows=rows)


if __name__ == "__main__":
    main()
