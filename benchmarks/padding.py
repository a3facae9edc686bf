"""Models of different widths in one graph, padded to one width, beside programs of their own.

    python -m benchmarks.padding [--sizes 2 4 8 16 32 64] [--repeats 2]

The first k trials of a space are put together by what padding cannot bring together (how many
layers, activation, dropout); those of one family get the widths of the widest. That is what padded
models cost without their masks: less than they would. One alone has a program of its own. One by
one, 16 trials are trained, as each takes about as long as the next. With `KERAS_BACKEND=jax` the
same on JAX.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import keras_tuner
from keras import layers

import kt_hpo
from benchmarks import measuring, searches
from benchmarks.listed import Listed

SIZES = (2, 4, 8, 16, 32, 64)
ONE_BY_ONE, EPOCHS = 16, 5
Values = dict[str, Any]


def narrow(hp: keras_tuner.HyperParameters) -> keras.Model:
    """The guide's model, an eighth as wide: 4 to 64 units a layer, for which stacking is made."""
    model = keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten()])
    for i in range(hp.Int("num_layers", 1, 3)):
        units = hp.Int(f"units_{i}", min_value=4, max_value=64, step=4)
        model.add(layers.Dense(units, activation=hp.Choice("activation", ["relu", "tanh"])))
    model.add(layers.Dense(10, activation="softmax"))
    return searches.classifier(model, hp.Float("lr", 1e-4, 1e-2, sampling="log"))


SPACES: dict[str, Callable[[keras_tuner.HyperParameters], keras.Model]] = {
    "Keras Tuner's guide, 32 to 512 units": searches.getting_started,
    "the same, 4 to 64 units": narrow,
}


def padded(trials: Sequence[Values]) -> list[Values]:
    """Gives the trials of each family the widths of its widest.

    Example:
        >>> padded([{"layers": 1, "units_0": 8}, {"layers": 1, "units_0": 16}, {"layers": 2}])
        [{'layers': 1, 'units_0': 16}, {'layers': 1, 'units_0': 16}, {'layers': 2}]
    """
    widest: dict[Any, Values] = {}
    for values in trials:
        widths = widest.setdefault(_family(values), {})
        widths |= {
            name: max(value, widths.get(name, 0))
            for name, value in values.items()
            if _is_width(name)
        }
    return [{**values, **widest[_family(values)]} for values in trials]


def _family(values: Values) -> tuple[tuple[str, Any], ...]:
    """What padding cannot bring together; a learning rate is every trial's own anyway."""
    fixed = {name: v for name, v in values.items() if name != "lr" and not _is_width(name)}
    return tuple(sorted(fixed.items()))


def _is_width(name: str) -> bool:
    return name.startswith("units_")


def seconds_a_trial(build: Any, trials: Sequence[Values], executor: Any) -> float:
    """Trains listed trials on digits."""
    train, validation = searches.digits()
    with tempfile.TemporaryDirectory() as folder:
        tuner = kt_hpo.Tuner(
            Listed(trials, seed=0), build, directory=folder, executor=executor, early_stopping=None
        )
        with measuring.timed() as seconds:
            tuner.search(*train, validation_data=validation, epochs=EPOCHS, verbose=0)
    return seconds() / len(trials)


def measure(space: str, sizes: Sequence[int], repeats: int) -> dict[str, Any]:
    """Times programs of their own, and padded ones for each size."""
    build = SPACES[space]
    trials = searches.values_of(build, max(*sizes, ONE_BY_ONE))
    runs = {"one by one": partial(seconds_a_trial, build, trials[:ONE_BY_ONE], kt_hpo.Inline())}
    for k in sizes:
        one = partial(seconds_a_trial, build, padded(trials[:k]), kt_hpo.Vectorized(k, fewest=2))
        runs[str(k)] = one
    return {
        "space": space,
        "backend": keras.backend.backend(),
        "families": {str(k): len(set(map(_family, trials[:k]))) for k in sizes},
        "repeats": repeats,
        "seconds a trial": measuring.in_turns(runs, repeats),
    }


def section(results: dict[str, Any]) -> str:
    """Tells the results."""
    parts = [
        "Trials whose widths differ, 4,000 digits, 5 epochs: one by one in programs of their own, "
        "and k of them in one graph for each family, as wide as its widest. Seconds a trial, the "
        "median; a number above 1 says how much longer the padded ones take."
    ]
    for row in results["rows"]:
        seconds = row["seconds a trial"]
        alone = seconds["one by one"]["median"]
        lines = [["one by one", "", f"{alone:.2f}", ""]]
        lines += [
            [k, row["families"][k], f"{one['median']:.2f}", f"**{one['median'] / alone:.2f}**"]
            for k, one in seconds.items()
            if k in row["families"]
        ]
        columns = {"k": "r", "families": "r", "s a trial": "r", "by one by one": "r"}
        parts += [f"### {row['space']}; {row['backend']}", measuring.markdown(columns, lines)]
    return "\n\n".join(parts)


def main() -> None:
    parser = measuring.arguments(__doc__, repeats=2)
    parser.add_argument("--sizes", nargs="+", type=int, default=list(SIZES))
    parser.add_argument("--spaces", nargs="+", choices=SPACES, default=list(SPACES))
    options = parser.parse_args()
    load, rows = measuring.load(), []
    for space in options.spaces[-1:] if options.quick else options.spaces:
        sizes = options.sizes[:1] if options.quick else options.sizes
        print(space, flush=True)
        row = measure(space, sizes, measuring.repeats_of(options))
        rows = measuring.write_row("padding", options, load, row, "space", "backend", order=SPACES)
    print(section({"rows": rows}))


if __name__ == "__main__":
    main()
