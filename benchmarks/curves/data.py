"""What the tables are trained on: data sets that packages ship, and measurements of processes.

The targets of a regression have the mean 0 and the deviation 1 in the train split: who always
answers the same is wrong by about 0.8.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

import kt_hpo

Arrays = tuple[np.ndarray, np.ndarray]


class Data(NamedTuple):
    """Inputs and targets to train on, and to validate with."""

    train: Arrays
    validation: Arrays


def load(name: str) -> Data:
    """Loads what a plan names: one of these functions, or a data set of `kt_hpo.datasets`.

    Example:
        >>> [x.shape for x, _ in load("signals")]
        [(1000, 32, 1), (500, 32, 1)]
    """
    if name in MADE:
        return MADE[name]()
    train, validation, _ = kt_hpo.datasets.load(name)
    return Data(train.arrays, validation.arrays)


def diabetes() -> Data:
    """scikit-learn's patients; three in ten of 442 are there to validate with."""
    train, validation, _ = kt_hpo.datasets.load("diabetes", validation=0.3, test=0)
    return _standardized(train.arrays, validation.arrays)


def cars() -> Data:
    """Miles per gallon of mlxtend's 392 cars: cylinders, origin and brand are categories."""
    import csv
    import gzip
    from importlib.resources import files

    packed = files("mlxtend.data").joinpath("data", "autompg.csv.gz").read_bytes()
    rows = list(csv.reader(gzip.decompress(packed).decode().splitlines()))
    numbers = np.array([[*row[1:6], row[8]] for row in rows], float)
    categories = [np.array([row[0] for row in rows]), np.array([row[6] for row in rows]),
                  np.array([row[7].split()[0] for row in rows])]  # fmt: skip
    dummies = [one[:, None] == np.unique(one) for one in categories]
    x = np.hstack([(numbers[:, :5] - numbers[:, :5].mean(0)) / numbers[:, :5].std(0), *dummies])
    return _standardized(*_cut(x, numbers[:, 5], 274))


def arm() -> Data:
    """How far the hand of an arm of six joints is from a point, given their angles."""
    stream = np.random.default_rng(0)
    angles = stream.uniform(-np.pi / 2, np.pi / 2, (2000, 6))
    lengths = 0.8 ** np.arange(6)
    turned = angles.cumsum(axis=1)
    hand = np.stack([(lengths * np.cos(turned)).sum(1), (lengths * np.sin(turned)).sum(1)], axis=1)
    distance = np.linalg.norm(hand - [1.5, 1.0], axis=1) + stream.normal(0, 0.05, 2000)
    return _standardized(*_cut(angles, distance, 1500))


def signals() -> Data:
    """Which of four oscillators was measured: steady, fading, ever faster, or jumping in phase."""
    stream = np.random.default_rng(0)
    kind = stream.integers(4, size=1500)
    time = np.linspace(0, 1, 32)
    start, pitch, jump = stream.uniform(size=(3, 1500, 1))
    phase = 2 * np.pi * (start + (2 + 2 * pitch) * time)
    faster, jumps, fades = (kind[:, None] == one for one in (2, 3, 1))
    phase += faster * 2 * np.pi * 2 * time**2
    phase += jumps * np.pi * (time > 0.25 + 0.5 * jump)
    shown = np.sin(phase) * np.where(fades, np.exp(-2 * time), 1.0)
    shown += stream.normal(0, 0.4, shown.shape)
    return _cut(shown[..., None], kind, 1000)


def small_digits() -> Data:
    """MNIST's digits in 14x14 pixels, 1,500 of them to train on."""
    train, validation = load("mnist5k")
    (x, y), (held_x, held_y) = (
        (x.reshape(-1, 14, 2, 14, 2, 1).mean(axis=(2, 4)), y) for x, y in (train, validation)
    )
    return Data((x[:1500], y[:1500]), (held_x, held_y))


def mislabeled_digits() -> Data:
    """scikit-learn's digits, 8x8 pixels; every other label of the train split is drawn."""
    train, validation, _ = kt_hpo.datasets.load("digits", validation=0.4, test=0)
    (x, y), (held_x, held_y) = train.arrays, validation.arrays
    stream = np.random.default_rng(0)
    y = np.where(stream.random(len(y)) < 0.5, stream.integers(10, size=len(y)), y)
    return Data((x, np.eye(10)[y]), (held_x, np.eye(10)[held_y]))


def pixels() -> Data:
    """scikit-learn's digits, their pixels to be told again."""
    flat = [x.reshape(len(x), -1) for x, _ in load("digits")]
    return Data(*((one, one) for one in flat))


def weather() -> Data:
    """Lorenz' convection, measured with noise: 16 steps, of which a later one is foretold."""
    stream = np.random.default_rng(0)
    state, path = np.array([1.0, 1.0, 20.0]), []
    for _ in range(17_000):
        x, y, z = state
        state = state + 0.005 * np.array([10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z])
        path.append(state[0])
    series = np.array(path[1000::10]) / 8
    measured = series + stream.normal(0, 0.1, series.shape)
    windows = np.lib.stride_tricks.sliding_window_view(measured, 16)[:-8]
    later = series[23:]
    # The last fourth is held back, none of whose windows meets the first three.
    kept = len(later) - len(later) // 4
    return _standardized(
        (windows[: kept - 24, :, None], later[: kept - 24]),
        (windows[kept:, :, None], later[kept:]),
    )


def _cut(x: np.ndarray, y: np.ndarray, first: int) -> Data:
    order = np.random.default_rng(1).permutation(len(x))
    some, others = order[:first], order[first:]
    return Data((x[some].astype("float32"), y[some]), (x[others].astype("float32"), y[others]))


def _standardized(train: Arrays, validation: Arrays) -> Data:
    mean, deviation = train[1].mean(), train[1].std()
    return Data(*(
        (x.astype("float32"), ((y - mean) / deviation).astype("float32"))
        for x, y in (train, validation)
    ))  # fmt: skip


MADE: dict[str, Callable[[], Data]] = {
    one.__name__: one
    for one in (
        diabetes, cars, arm, signals, small_digits, mislabeled_digits, pixels, weather,
    )
}  # fmt: skip
