"""Inputs that nobody means: whatever is given, only documented errors come of it.

`PYTHONPATH=. python tests/fuzz.py --examples 3000` tries that many over all `TARGETS`, the tests a
few of each.
"""

from __future__ import annotations

import argparse
import contextlib
import inspect
import io
import json
import math
import tempfile
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import keras_tuner
import numpy as np
import optuna
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from models import blobs
from PIL import Image

import hypermodels
import kt_hpo
from kt_hpo import datasets, registry
from kt_hpo.cli import main
from kt_hpo.cli.options import OPTIONS
from kt_hpo.training.checks import check_search
from kt_hpo.training.options import TrainingOptions

# What is said of a mistake; anything else, or anything of another library, is ours to answer for.
DOCUMENTED = (ValueError, TypeError, kt_hpo.RecordError, FileNotFoundError, ImportError)
OURS = tuple(str(Path(package.__file__).parent) for package in (kt_hpo, hypermodels))
ENGINES = [getattr(kt_hpo, engine.tuner) for engine in registry.ENGINES if engine.has_oracle]
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 5),
    st.floats(-2, 2),
    st.sampled_from([math.nan, math.inf, -math.inf, 2**70, 1e-300]),
    st.text(max_size=4),
    st.sampled_from(["auto", "val_loss", "max", "tpe", "asha", "x", "..", "a/b", b"x", "\0"]),
    st.sampled_from([np.int64(2), np.float32(0.5), np.bool_(True), np.str_("x"), np.nan]),
    st.builds(lambda: np.arange(3)),
    st.lists(st.integers(-2, 3), max_size=3),
    st.tuples(st.integers(-2, 3), st.integers(-2, 3)),
    st.dictionaries(st.text(max_size=2), st.integers(-2, 2), max_size=2),
    st.sampled_from([object(), int, keras.Model, len, st, {1, 2}, 1j, Path("x")]),
)
NAMES = st.one_of(st.sampled_from(["x", "y", "units"]), st.text(max_size=4), JUNK)


def is_documented(error: BaseException) -> bool:
    """Whether an error is one that we say, of a kind that is documented."""
    if isinstance(error, SystemExit):
        return error.code in (0, 2)
    kinds = (*DOCUMENTED, RuntimeError, keras_tuner.errors.FatalError)
    frames = traceback.extract_tb(error.__traceback__)
    raised_here = any(frames[-1].filename.startswith(ours) for ours in OURS)
    line = (frames[-1].line or "").lstrip()
    return isinstance(error, kinds) and bool(str(error)) and raised_here and "raise" in line


def attempt(call: Callable[[], Any]) -> None:
    """Calls something that may raise what is documented, and nothing else."""
    try:
        with (
            warnings.catch_warnings(action="ignore"),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            call()
    except (Exception, SystemExit) as error:
        if not is_documented(error):
            raise


def search_black_box(tuner: Any) -> None:
    tuner.search(verbose=0)


def arguments_of(function: Any, without: set[str]) -> list[str]:
    return [
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        and name not in {"self", *without}
    ]


TUNER = [
    name
    for name in arguments_of(kt_hpo.Tuner.__init__, {"oracle", "hypermodel", "directory"})
    if name not in ("optimizer", "loss", "metrics", "logger")
] + list(TrainingOptions.__dataclass_fields__)


def constructors(data: st.DataObject, folder: Path) -> None:
    """A tuner of any engine, with arguments of any kind, and its search."""
    engine = data.draw(st.sampled_from(ENGINES))
    own = arguments_of(engine.__init__, {"hypermodel", "directory"})
    names = data.draw(st.lists(st.sampled_from([*own, *TUNER, "max_trails"]), max_size=2))
    given = {name: data.draw(JUNK, label=name) for name in names}
    few = {"max_trials": 2} if "max_trials" in own else {}
    few |= {"max_epochs": 2} if "max_epochs" in own else {}

    class Box(engine):
        def run_trial(self, trial, **kwargs):
            return trial.hyperparameters.Int("x", 0, 3)  # Soon exhausted, where nothing ends it.

    if any(isinstance(value, int | float) and value > 1e6 for value in given.values()):
        return  # Who asks for a search that never ends gets it.
    if str(given.get("tracker")) == "wandb" or isinstance(given.get("executor"), int | np.integer):
        return  # Processes are not for here.
    attempt(lambda: search_black_box(Box(**{"directory": folder, "seed": 1, **few, **given})))


_USUAL: dict[str, dict[str, Any]] = {
    "Int": {"min_value": 1, "max_value": 9},
    "Float": {"min_value": 0.5, "max_value": 2.0},
    "Choice": {"values": [1, 2]},
    "Boolean": {},
    "Fixed": {"value": 1},
}


def spaces(data: st.DataObject, folder: Path) -> None:
    """Hyperparameters with arguments of any kind, asked for in trials."""
    kinds = {
        "Int": ["min_value", "max_value", "step", "sampling", "default"],
        "Float": ["min_value", "max_value", "step", "sampling", "default"],
        "Choice": ["values", "ordered", "default"],
        "Boolean": ["default"],
        "Fixed": ["value"],
    }
    asked = []
    for _ in range(data.draw(st.integers(1, 2))):
        kind = data.draw(st.sampled_from(list(kinds)))
        chosen = data.draw(st.lists(st.sampled_from(kinds[kind]), unique=True))
        given = {name: data.draw(JUNK) for name in chosen}
        asked.append((kind, data.draw(NAMES), _USUAL[kind] | given))

    def declare() -> None:
        hp = kt_hpo.HyperParameters()
        for kind, name, given in asked:
            getattr(hp, kind)(name, **given)

        class Box(kt_hpo.RandomSearch):
            def run_trial(self, trial):
                return 1.0

        tuner = Box(
            max_trials=2, hyperparameters=hp, directory=folder, project_name="s", overwrite=True
        )
        search_black_box(tuner)

    attempt(declare)


def options(data: st.DataObject, folder: Path) -> None:
    """Executors, hypermodels and what else is made of arguments."""
    kind = data.draw(
        st.sampled_from(
            [
                kt_hpo.Workers, kt_hpo.Vectorized, kt_hpo.Ray, kt_hpo.Training,
                hypermodels.MLPHyperModel, hypermodels.CNNHyperModel,
                hypermodels.ResNetHyperModel, hypermodels.TabularHyperModel, TrainingOptions,
            ]
        )
    )  # fmt: skip
    names = arguments_of(kind.__init__, set())
    chosen = data.draw(st.lists(st.sampled_from(names), max_size=3, unique=True))
    required = {"n": 1, "num_workers": 1, "hypermodel": small, "input_shape": (8, 8, 1)}
    given = {name: required[name] for name in names if name in required}
    given |= {name: data.draw(JUNK, label=name) for name in chosen}

    def make() -> None:
        made = kind(**given)
        if isinstance(made, keras_tuner.HyperModel):
            kt_hpo.HyperParameters()

    attempt(make)


def small(hp: Any) -> keras.Model:
    """A model without a graph."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(hp.Int("units", 2, 3))])
    model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
    return model


@st.composite
def kinds_of_data(draw: Any) -> Any:
    """Data of every kind that Keras takes, and of some that it does not."""
    rows = draw(st.sampled_from([0, 1, 8, 9]))
    shape = draw(st.sampled_from([(rows,), (rows, 2), (rows, 1), (rows, 2, 2), ()]))
    dtypes = ["float32", "int64", "bool", "U3", "S2", "O", "complex64", "datetime64[s]"]
    array = np.zeros(shape, draw(st.sampled_from(dtypes)))
    if draw(st.booleans()) and array.dtype.kind == "f" and array.size:
        array.reshape(-1)[0] = draw(st.sampled_from([math.nan, math.inf]))
    kinds: list[Callable[[], Any]] = [
        lambda: array,
        lambda: array.tolist(),
        lambda: {"a": array, "b": array},
        lambda: [array, array],
        lambda: (array, array),
        lambda: keras.ops.convert_to_tensor(np.zeros((8, 2), "float32")),
        lambda: pd.DataFrame({"a": range(rows), "b": ["x"] * rows}),
        lambda: pd.Series(["a", "b"] * rows),
        lambda: (pair for pair in [(array, array)]),
        lambda: lambda: array,
        lambda: _pipeline(array),
        lambda: None,
    ]
    return draw(st.sampled_from(kinds))()


def _pipeline(array: np.ndarray) -> Any:
    if array.ndim == 0 or array.dtype.kind in "OMUS" or keras.backend.backend() != "tensorflow":
        return None
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices((array, array)).batch(4)


def searches(data: st.DataObject, folder: Path) -> None:
    """Arguments of `search`, held against the model before any training."""
    x, y = blobs(20)
    args = data.draw(
        st.one_of(
            st.just((x, y)),
            st.tuples(kinds_of_data(), kinds_of_data()),
            st.tuples(kinds_of_data()),
            st.just(()),
        )
    )
    fit = arguments_of(keras.Model.fit, {"x", "y"})
    names = data.draw(st.lists(st.sampled_from([*fit, "epoch", "groups"]), max_size=3))
    kwargs = {name: data.draw(st.one_of(JUNK, kinds_of_data()), label=name) for name in names}
    folds = data.draw(st.sampled_from([None, None, 2]))

    def check() -> None:
        tuner = kt_hpo.RandomSearch(
            small, "val_loss", directory=folder, cross_validation=folds, overwrite=True
        )
        check_search(tuner, tuple(args), dict(kwargs))

    attempt(check)


CELLS = st.one_of(
    st.sampled_from(["1", "0", "a", "", "1e999", "nan", '"', ";", "\x00", "é", "2,5", "True"]),
    st.text(max_size=3),
)


@st.composite
def tables(draw: Any, header: list[str]) -> bytes:
    """A table of which anything may be damaged."""
    rows = [header, *draw(st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=12))]
    rows += [
        ["1", str(number % 2), "0"][: len(header)]
        for number in range(draw(st.sampled_from([0, 40])))
    ]
    text = "\n".join(draw(st.sampled_from([",", ",", ";"])).join(row) for row in rows)
    content = text.encode(draw(st.sampled_from(["utf-8", "utf-8", "utf-16"])), "ignore")
    return draw(st.sampled_from([content, content, b"", content[:-3], b"\xff" + content]))


def csv_files(data: st.DataObject, folder: Path) -> None:
    """Tables as data sets."""
    header = data.draw(st.lists(st.sampled_from(["a", "b", "y", "a", ""]), min_size=1, max_size=3))
    path = folder / "table.csv"
    path.write_bytes(data.draw(tables(header)))
    target = data.draw(st.sampled_from([None, "y", "z"]))
    name = data.draw(st.sampled_from(["validation", "test", "seed", "normalize", "task"]))
    given = data.draw(st.sampled_from([{}, {name: data.draw(JUNK)}]))
    attempt(lambda: datasets.from_csv(path, target, **given))


def imported_tables(data: st.DataObject, folder: Path) -> None:
    """Tables of trials."""
    names = ["val_loss", "x", "seconds", "state", "best_epoch", "trial", "violation", "error"]
    header = data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True))
    path = folder / "trials.csv"
    path.write_bytes(data.draw(tables(header)))
    storage = optuna.storages.InMemoryStorage()
    attempt(lambda: kt_hpo.import_search(path, folder, "imported", storage=storage))


def arrays(data: st.DataObject, folder: Path) -> None:
    """Arrays as data sets."""
    x, y = data.draw(kinds_of_data()), data.draw(kinds_of_data())
    given = {name: data.draw(JUNK) for name in data.draw(st.sampled_from([[], ["test"], ["task"]]))}
    attempt(lambda: datasets.from_arrays(x, y, **given))


def data_frames(data: st.DataObject, folder: Path) -> None:
    """Data frames of anything as data sets."""
    cells = st.sampled_from(
        [0, 1, 2.5, -1e300, 2**70, math.nan, math.inf, None, True, "", "a", "a b c d", "1,5", "?",
         "2024-01-01", b"x", (1,), {"a": 1}, 1j, np.datetime64("2024-01-01")]
    )  # fmt: skip
    size = data.draw(st.sampled_from([0, 1, 30]))
    frame = pd.DataFrame({
        name: pd.Series((data.draw(st.lists(cells, min_size=1, max_size=4)) * 30)[:size])
        for name in data.draw(st.lists(st.sampled_from(["a", "id", 1, ""]), unique=True))
    })  # fmt: skip
    target = data.draw(st.sampled_from([None, "a", "z", 1]))
    attempt(lambda: datasets.from_frame(frame, target, validation=0.2, test=0))


def images(data: st.DataObject, folder: Path) -> None:
    """Folders of images, some of them damaged."""
    root = Path(tempfile.mkdtemp(dir=folder))
    content = io.BytesIO()
    Image.new("RGB", (4, 4)).save(content, "PNG")
    png = content.getvalue()
    for label in data.draw(st.lists(st.sampled_from(["cat", "dog", ".x"]), unique=True)):
        (root / label).mkdir()
        for number in range(data.draw(st.integers(0, 5))):
            cut = data.draw(st.sampled_from([png, png, png[:30], b"", png[:-9], b"x" * 60]))
            suffix = data.draw(st.sampled_from([".png", ".jpg", ".txt"]))
            (root / label / f"{number}{suffix}").write_bytes(cut)
    size = data.draw(st.one_of(st.none(), st.just((4, 4)), JUNK))
    mode = data.draw(st.sampled_from(["rgb", "grayscale", "cmyk", None]))
    attempt(lambda: datasets.from_images(root, size, color_mode=mode))


_HP = {"class_name": "Float", "config": {"name": "x", "conditions": [], "default": 0.0,
       "min_value": 0.0, "max_value": 1.0, "step": None, "sampling": "linear"}}  # fmt: skip
_METRIC = {"direction": "min", "observations": [{"value": [0.5], "step": 0}]}
_TRIAL = {
    "trial_id": "0", "hyperparameters": {"space": [_HP], "values": {"x": 0.5}},
    "metrics": {"metrics": {"val_loss": _METRIC}}, "score": 0.5, "best_step": 0,
    "status": "COMPLETED", "message": None,
}  # fmt: skip


def _damaged(data: st.DataObject, value: Any) -> Any:
    """A part of a nested value replaced or left out."""
    if isinstance(value, dict) and value and data.draw(st.integers(0, 4)):
        name = data.draw(st.sampled_from(sorted(value)))
        if data.draw(st.booleans()):
            return {other: one for other, one in value.items() if other != name}
        return value | {name: _damaged(data, value[name])}
    if isinstance(value, list) and value and data.draw(st.integers(0, 2)):
        return [_damaged(data, value[0]), *value[1:]]
    return data.draw(st.sampled_from([None, {}, [], "x", -1, 1e308, True, [[1]], {"a": 1}]))


def keras_tuner_folders(data: st.DataObject, folder: Path) -> None:
    """Folders of plain Keras Tuner, damaged."""
    root = Path(tempfile.mkdtemp(dir=folder))
    oracle: Any = {"hyperparameters": {"space": [_HP], "values": {"x": 0.0}}}
    if data.draw(st.booleans()):
        oracle = _damaged(data, oracle)
    (root / "oracle.json").write_text(json.dumps(oracle))
    for number in range(data.draw(st.integers(0, 2))):
        (root / f"trial_{number}").mkdir()
        text = json.dumps(_damaged(data, _TRIAL) if data.draw(st.booleans()) else _TRIAL)
        (root / f"trial_{number}" / "trial.json").write_text(text)
    storage = optuna.storages.InMemoryStorage()
    attempt(lambda: kt_hpo.import_search(root, folder, "kept", storage=storage))


def command_lines(data: st.DataObject, folder: Path) -> None:
    """Lines of the command line."""
    flags = sorted(f"--{name.replace('_', '-')}" for name in OPTIONS)
    words = st.sampled_from(
        ["0", "-1", "3", "x", "none", "1e5", "auto", "tpe", "val_loss", "", "a:b"]
    )
    junk = data.draw(st.lists(st.one_of(st.sampled_from(flags), words), max_size=5))
    command = data.draw(
        st.sampled_from(["search", "status", "report", "resume", "import", "export", "x", ""])
    )
    where = ["--directory", str(folder / "cli")] if command == "search" else [str(folder / "none")]
    # Data that are not there: what is right otherwise trains nothing.
    line = (
        [command, "--data", "no_module:load", *where] if command == "search" else [command, *where]
    )
    attempt(lambda: main([*line, *junk]))


TARGETS = [
    constructors, spaces, options, searches, csv_files, imported_tables, arrays, data_frames,
    images, keras_tuner_folders, command_lines,
]  # fmt: skip


def run(
    target: Callable[[st.DataObject, Path], None], examples: int, **given_settings: Any
) -> None:
    """Tries a target with examples; raises of the smallest that is not documented."""

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        **given_settings,
    )
    @given(st.data())
    def once(data: st.DataObject) -> None:
        with tempfile.TemporaryDirectory() as folder:
            target(data, Path(folder))

    once()


def _main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=3000, help="inputs in all")
    parser.add_argument("--only", help="the name of one target")
    parsed = parser.parse_args()
    targets = [one for one in TARGETS if parsed.only in (None, one.__name__)]
    failed = 0
    for target in targets:
        try:
            run(target, parsed.examples // len(targets), report_multiple_bugs=True)
            print(f"{target.__name__}: nothing found", flush=True)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            failed += 1
            print(f"{target.__name__}: FOUND", flush=True)
            traceback.print_exception(error)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(_main())
