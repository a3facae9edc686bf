"""Small pictures of every plot, to notice when one no longer looks as it did.

`PYTHONPATH=.:tests python tests/plots/pictures.py` draws them anew; look at them before committing.
"""

import io
import math
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import optuna
from matplotlib import pyplot as plt
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial
from PIL import Image
from plots.studies import hyperband_study, population_study, study_of

from kt_hpo import plots

FOLDER = Path(__file__).parent / "baselines"
# Pixels: enough to see what is where, and too few for the last bit of a font.
SIZE = (140, 84)
KINDS = {
    "activation": CategoricalDistribution(["relu", "gelu", "silu", "leaky_relu"]),
    "learning_rate": FloatDistribution(1e-4, 1e-1, log=True),
    "layers": IntDistribution(1, 4),
}


def search(n=60):
    """Complete, pruned and failed trials on two workers, with conditional hyperparameters."""
    random = np.random.default_rng(0)
    begin, trials = datetime(2026, 1, 1), []
    for number in range(n):
        values = {
            "activation": KINDS["activation"].choices[random.integers(4)],
            "learning_rate": float(10 ** random.uniform(-4, -1)),
            "layers": int(random.integers(1, 5)),
        }
        kinds = dict(KINDS)
        if values["layers"] > 1:
            kinds["layers=[2|3|4]/units"] = IntDistribution(16, 256)
            values["layers=[2|3|4]/units"] = int(random.integers(16, 257))
        score = 0.96 - 0.1 * abs(math.log10(values["learning_rate"]) + 2.5) ** 1.5
        score -= 0.05 * (values["activation"] == "relu") + 0.01 * random.uniform()
        state = {3: TrialState.FAIL, 1: TrialState.PRUNED, 7: TrialState.PRUNED}.get(
            number % 10, TrialState.COMPLETE
        )
        epochs = {TrialState.FAIL: 0, TrialState.PRUNED: 1 + number % 3}.get(state, 6)
        trial = create_trial(
            state=state,
            value=score if state == TrialState.COMPLETE else None,
            params=values,
            distributions=kinds,
            intermediate_values={e: score * (1 - 0.6 * math.exp(-e)) for e in range(epochs)},
            user_attrs={"worker": number % 2, "parameters": 1000 * values["layers"] + number},
        )
        trial.datetime_start = begin + timedelta(seconds=30 * (number // 2))
        trial.datetime_complete = trial.datetime_start + timedelta(seconds=3 + 4 * epochs)
        trials.append(trial)
    return study_of(trials, names=["val_accuracy"], direction="maximize")


def front():
    trials = [create_trial(values=[(i - 5) ** 2 / 30, (i - 14) ** 2 / 100]) for i in range(20)]
    return study_of(trials, names=["loss", "size"], directions=["minimize", "minimize"])


def samples():
    """Images with a bright corner, their classes, and predicted probabilities."""
    random = np.random.default_rng(0)
    true = random.integers(0, 4, 60)
    images = np.zeros((60, 8, 8))
    for image, corner in zip(images, true, strict=True):
        image[4 * (corner // 2) :, 4 * (corner % 2) :][:4, :4] = 1
    return images, true, random.dirichlet(np.ones(4), 60)


def figures():
    """Each picture's name, and what draws it."""
    own = {
        "plot_brackets": hyperband_study,
        "plot_lineage": population_study,
        "plot_schedules": population_study,
        "plot_pareto_front": front,
    }
    images, true, predicted = samples()
    special = {
        "plot_misclassified": lambda plot, ax: plot(images, true, predicted, ax=ax),
        "plot_confusion_matrix": lambda plot, ax: plot(true, predicted, ax=ax),
        "plot_predictions": lambda plot, ax: plot(true, predicted[:, 0], ax=ax),
    }
    for name in plots.__all__:
        if name in special:
            yield name, special[name]
        elif name not in ("overview", "plot_learning_rate"):
            study = own.get(name, search)
            yield name, lambda plot, ax, study=study: plot(study(), ax)


def drawn(name, draw, dark=False):
    """A plot in a few shades of gray."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with plt.style.context("dark_background" if dark else "default"):
        figure, ax = plt.subplots(figsize=(7, 4.2), layout="constrained")
        draw(getattr(plots, name), ax)
        written = io.BytesIO()
        figure.savefig(written, dpi=100)
        plt.close(figure)
    return Image.open(written).convert("L").resize(SIZE, Image.Resampling.BOX)


def difference(one, other):
    """The greatest mean difference of a tenth of a picture by a tenth, of 255 shades."""
    first, second = (np.asarray(picture, dtype=float) for picture in (one, other))
    far = np.abs(first - second)
    tiles = far.reshape(SIZE[1] // 12, 12, SIZE[0] // 14, 14)
    return float(tiles.mean(axis=(1, 3)).max())


def main():
    FOLDER.mkdir(exist_ok=True)
    for dark in (False, True):
        for name, draw in figures():
            picture = drawn(name, draw, dark).quantize(32, dither=Image.Dither.NONE)
            picture.save(FOLDER / f"{name}{'_dark' * dark}.png", optimize=True)


if __name__ == "__main__":
    main()
