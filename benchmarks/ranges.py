"""What the default of each hyperparameter of the ready spaces is worth: the others beside it.

    python -m benchmarks.ranges [--models CNN ResNet Transfer Sequence] [--seeds 2]

A model is trained by its defaults, and with one hyperparameter at another value of its small range
(of the wide one if the small one has no other): the ends of a range, each choice of a list. Three
data sets or more a model, the same epochs for all. What is measured is kept; a second run goes on
with what is missing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from statistics import mean
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import keras_tuner
import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

import kt_hpo
from benchmarks import measuring
from benchmarks.real_data import Table
from hypermodels import cnn, mlp, resnet, sequence, tabular, transfer
from hypermodels.ranges import WithDefault
from hypermodels.transfer import TransferHyperModel
from kt_hpo.datasets import Splits, from_arrays
from kt_hpo.datasets.given import given
from kt_hpo.ready_models import choose_epochs, make_hypermodel
from kt_hpo.training.compiled import trained_by_programs

SEEDS = 2
# What is no question of quality.
NOT_VARIED = ("epochs", "bins", "frequencies", "frequency_scale")
IMAGE_EPOCHS, STEPS = 6, 2000


def letters() -> Splits:
    """2,600 letters, 20 x 20 pixels, in the fonts that Matplotlib ships, turned and shifted."""
    stream = np.random.default_rng(0)
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    fonts = [ImageFont.truetype(file, 15) for file in sorted(folder.glob("DejaVu*.ttf"))]
    fonts = [font for font in fonts if font.getbbox("a")[2]]
    y = np.arange(2600) % 26
    x = np.zeros((len(y), 20, 20, 1), "float32")
    for place, letter in enumerate(y):
        image = Image.new("L", (20, 20))
        at = tuple(stream.integers(2, 6, 2) - 1)
        font = fonts[stream.integers(len(fonts))]
        ImageDraw.Draw(image).text(at, chr(97 + letter), fill=255, font=font)
        turned = image.rotate(stream.uniform(-20, 20), resample=Image.Resampling.BILINEAR)
        noise = stream.normal(0, 0.2, (20, 20))
        x[place, ..., 0] = np.asarray(turned) / 255 + noise
    return from_arrays(x, y, name="letters", test=0)


def series(name: str) -> Splits:
    """A classification of series that aeon ships; shorter ones end with zeros."""
    from aeon import datasets

    samples, y = getattr(datasets, f"load_{name}")()
    steps = max(one.shape[1] for one in samples)
    padded = [np.pad(one.T, ((0, steps - one.shape[1]), (0, 0))) for one in samples]
    x = np.array(padded, "float32")
    return from_arrays((x - x.mean()) / x.std(), y, name=name, test=0, validation=0.4)


def table(package: str, name: str, target: str, metric: str) -> Splits:
    """A table of R's packages; one part is as many for a test that nobody looks at."""
    parts = Table(package, name, target, metric).parts(0)
    return given(((parts.x, parts.y), (parts.test_x, parts.test_y)), seed=0)


Loaders = dict[str, Callable[[], Splits]]
TABLES: Loaders = {
    "diabetes": partial(table, "sklearn", "diabetes", "target", "r2"),
    "orange juice": partial(table, "ISLR", "OJ", "Purchase", "accuracy"),
    "seats": partial(table, "ISLR", "Carseats", "Sales", "r2"),
    "houses": partial(table, "MASS", "Boston", "medv", "r2"),
}
IMAGES: Loaders = {
    "mnist5k": partial(kt_hpo.datasets.load, "mnist5k"),
    "digits": partial(kt_hpo.datasets.load, "digits"),
    "letters": letters,
}
SERIES: Loaders = {
    name: partial(series, name)
    for name in ("basic_motions", "gunpoint", "italy_power_demand", "japanese_vowels")
}
WIDE = {
    "CNN": cnn.ARGUMENTS,
    "ResNet": resnet.ARGUMENTS,
    "Transfer": transfer.ARGUMENTS,
    "Sequence": sequence.ARGUMENTS,
    "Tabular": tabular.ARGUMENTS,
    "MLP": mlp.ARGUMENTS,
}
# Model and what it is called on the command line; its data.
DATA: dict[str, tuple[str, Loaders]] = {
    "CNN": ("cnn", IMAGES),
    "ResNet": ("resnet", IMAGES),
    "Transfer": ("transfer", IMAGES),
    "Sequence": ("sequence", SERIES),
    "Tabular": ("tabular", TABLES),
    "MLP": ("mlp", TABLES),
}


def epochs_of(model: str, data: Splits) -> int:
    """How long a training is: six epochs of images, else 2,000 steps of 32 samples."""
    if len(data.train.input_shape) == 3:
        return IMAGE_EPOCHS
    if model == "Sequence":
        return -(-STEPS // -(-len(data.train) // 32))
    return choose_epochs(data.train).most


@cache
def base_of(images: str) -> keras.Model:
    """Convolutions that have learned to tell other images."""
    train = IMAGES[images]().train
    keras.utils.set_random_seed(0)
    inputs = x = keras.Input((None, None, 1))
    for filters in (32, 64, 128):
        x = keras.layers.MaxPooling2D()(x) if filters > 32 else x
        x = keras.layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = keras.layers.Activation("relu")(keras.layers.BatchNormalization()(x))
    classes = keras.layers.GlobalAveragePooling2D()(x)
    classes = keras.layers.Dense(train.num_classes, activation="softmax")(classes)
    taught = keras.Model(inputs, classes)
    taught.compile("adam", "sparse_categorical_crossentropy")
    taught.fit(*train.arrays, epochs=20, verbose=0)
    return keras.Model(inputs, x, name="base")


def hypermodel_of(model: str, data: Splits, **changed: Any) -> Any:
    """The ready model of some data, with some of its arguments changed."""
    name, _ = DATA[model]
    if model == "Transfer":
        shape, classes = data.train.input_shape, data.train.num_classes
        base = base_of("mnist5k" if classes == 26 else "letters")
        made: Any = TransferHyperModel(shape, classes, base=base)
    else:
        made = make_hypermodel(name, data.train, epochs_of(model, data))
    for argument, value in changed.items():
        setattr(made, argument, WithDefault(value, value))
    return made


def alternatives(model: str, data: Splits) -> Iterator[tuple[str, Any]]:
    """The hyperparameters of the small range, with each other value that is to be tried."""
    made, hp = hypermodel_of(model, data), keras_tuner.HyperParameters()
    made.build(hp)
    for argument, each in vars(made).items():
        if not isinstance(each, WithDefault) or argument in NOT_VARIED:
            continue
        values = each.values
        if not isinstance(values, tuple | list):
            values = WIDE[model][argument].wide
        elif not any(argument in name for name in hp.values):
            continue  # It belongs to another choice than the default.
        if isinstance(values, tuple | list):
            yield from ((argument, value) for value in values if value != each.default)


def score(model: str, data: Splits, seed: int, **changed: Any) -> float:
    """The best validation accuracy of a training, or one less its loss."""
    made, hp = hypermodel_of(model, data, **changed), keras_tuner.HyperParameters()
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    network = made.build(hp)
    with trained_by_programs(network):
        history = made.fit(
            hp,
            network,
            *data.train.arrays,
            validation_data=data.validation.arrays,
            epochs=epochs_of(model, data),
            verbose=0,
        ).history
    if data.train.num_classes is None:
        return 1 - min(history["val_loss"])
    return max(history["val_accuracy"])


def key_of(argument: str, value: Any) -> str:
    """How a change is named in the results."""
    return f"{argument}={value}" if argument else "default"


def section(results: dict[str, Any]) -> str:
    """Tells the results."""
    parts = [
        "Validation accuracy; of numbers one less the loss, the squared error as a share of the "
        "training targets' variance. A training by the defaults, and with one hyperparameter "
        "changed: the best of its epochs, the mean of two seeds. Images have 6 epochs, all else "
        "about 2,000 steps. Transfer stands on three convolutions that have learned letters, for "
        "letters mnist5k; its default learning rate was 0.002, which these figures raised to "
        "0.005. What is 0.01 apart in the mean may be chance."
    ]
    for model, (_, data) in DATA.items():
        found = results["rows"].get(model)
        if not found:
            continue
        columns = {"": "l", **dict.fromkeys(data, "r"), "mean difference": "r"}
        rows = []
        for change, scores in found.items():
            means = {name: mean(values.values()) for name, values in scores.items()}
            base = {name: mean(found["default"][name].values()) for name in means}
            by = mean(means[name] - base[name] for name in means)
            told = "" if change == "default" else f"{by:+.3f}"
            cells = [f"{means[name]:.3f}" if name in means else "" for name in data]
            rows.append([change, *cells, told])
        parts += [f"### {model}", measuring.markdown(columns, rows)]
    return "\n\n".join(parts)


def main() -> None:
    parser = measuring.arguments(__doc__)
    parser.add_argument("--models", nargs="+", choices=DATA, default=list(DATA))
    parser.add_argument("--seeds", type=int, default=SEEDS)
    options = parser.parse_args()
    load, before = measuring.load(), measuring.read("ranges") or {"rows": {}}
    rows: dict[str, Any] = before["rows"]
    for model in ["MLP"] if options.quick else options.models:
        found = rows.setdefault(model, {})
        for name, loader in list(DATA[model][1].items())[: 1 if options.quick else None]:
            data = loader()
            changes = [("", None), *alternatives(model, data)]
            for argument, value in changes[: 2 if options.quick else None]:
                scores = found.setdefault(key_of(argument, value), {}).setdefault(name, {})
                for seed in range(1 if options.quick else options.seeds):
                    if str(seed) not in scores:
                        changed = {argument: value} if argument else {}
                        scores[str(seed)] = score(model, data, seed, **changed)
                print(model, name, key_of(argument, value), scores, flush=True)
            measuring.write("ranges", options, load, rows=rows)
    print(section({"rows": rows}))


if __name__ == "__main__":
    main()
