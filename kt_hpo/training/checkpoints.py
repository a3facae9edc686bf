"""Weights and optimizer state of trials, on disk.

A trial's folder holds `checkpoint.weights.h5`, its best epoch, and where another trial may go on
from it `last.weights.h5`, its end; where its model is trained several times, `last_1.weights.h5`
and so on are the ends of the others, so that a fold goes on from that fold. While such trainings
run side by side, `checkpoint_0.weights.h5` and so on are the best epoch of each. All hold the
optimizer's state. A file is there whole or not at all.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Collection
from pathlib import Path
from typing import Any

import keras

from kt_hpo._private_apis.keras import layers_of
from kt_hpo.arguments import file_within

BEST = "checkpoint.weights.h5"
LAST = "last.weights.h5"
_BUILD = "build_config.json"
_UNFINISHED = "unfinished."
# 256 MB of them wait in memory for the end of a training.
_MOST_NUMBERS = 2**26


def best(execution: int) -> str:
    """Names the file of the best epoch of a training that runs beside others of its trial.

    Args:
        execution: The number of the training within its trial.

    Returns:
        The file's name.

    Example:
        >>> best(2)
        'checkpoint_2.weights.h5'
    """
    return f"checkpoint_{execution}.weights.h5"


def last(execution: int = 0) -> str:
    """Names the file of the state in which a training ends.

    Args:
        execution: The number of the training within its trial.

    Returns:
        The file's name.

    Example:
        >>> last(), last(2)
        ('last.weights.h5', 'last_2.weights.h5')
    """
    return f"last_{execution}.weights.h5" if execution else LAST


def find_last(folder: Path, execution: int = 0) -> Path:
    """Finds the state in which a training of another trial ended.

    Args:
        folder: Folder of that trial.
        execution: The number of the training; the first serves where that one was not kept.

    Returns:
        The path, also if nothing is there.
    """
    own = folder / last(execution)
    return own if own.exists() else folder / LAST


def save(model: keras.Model, path: Path) -> None:
    """Saves a model's weights and its optimizer's state.

    Args:
        model: A built model.
        path: Where to, ending in `.weights.h5`; its folder is made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(_UNFINISHED + path.name)
    model.save_weights(unfinished)
    path.with_name(_BUILD).write_text(json.dumps(model.get_build_config()))
    unfinished.replace(path)


class State:
    """Weights and optimizer state of a model at one moment, in memory until they are saved.

    Args:
        model: A built model.

    Example:
        >>> import tempfile
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> state = State(model)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     state.save(Path(folder) / BEST)
    """

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        # A `fit` of the user's may compile the model anew before this is saved.
        self._optimizer = getattr(model, "optimizer", None)
        self._variables = _variables(model)
        self._values = self._read()

    def save(self, path: Path) -> None:
        """Saves the model as it was; afterwards it is as before.

        Args:
            path: As in `save`.
        """
        now, optimizer = self._read(), getattr(self._model, "optimizer", None)
        self._write(self._values)
        try:
            self._set_optimizer(self._optimizer)
            save(self._model, path)
        finally:
            self._set_optimizer(optimizer)
            self._write(now)

    def _set_optimizer(self, optimizer: Any) -> None:
        if getattr(self._model, "optimizer", None) is not optimizer:
            self._model.optimizer = optimizer

    def _read(self) -> list[Any]:
        return [variable.numpy() for variable in self._variables]

    def _write(self, values: list[Any]) -> None:
        for variable, value in zip(self._variables, values, strict=True):
            variable.assign(value)


def fits_in_memory(model: keras.Model) -> bool:
    """Tells whether `State` holds all that `save` writes, and is small beside what training takes.

    Args:
        model: A built model.

    Returns:
        False for a large model, and where a layer saves other things than variables.

    Example:
        >>> fits_in_memory(keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]))
        True
    """
    layers = [model, *layers_of(model)]
    if any(not type(one).save_own_variables.__module__.startswith("keras.") for one in layers):
        return False
    return sum(math.prod(variable.shape) for variable in _variables(model)) <= _MOST_NUMBERS


def _variables(model: keras.Model) -> list[keras.Variable]:
    """Return the variables of a model and its optimizer, each once."""
    optimizer = getattr(model, "optimizer", None)
    known = [*model.variables, *(optimizer.variables if optimizer is not None else ())]
    return list({id(variable): variable for variable in known}.values())


def copy(path: Path, folder: Path) -> None:
    """Copies a trial's best epoch.

    Args:
        path: What `save` wrote, or plain Keras Tuner.
        folder: The other trial's folder; made if it is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, folder / BEST)
    build = path.with_name(_BUILD)
    if file_within(path.parent, build.name):
        shutil.copyfile(build, folder / _BUILD)


def restore(model: keras.Model, path: Path) -> None:
    """Loads weights and optimizer state into a model of the same architecture.

    Keras skips an optimizer's state when the optimizer is not built yet; here it is built first.

    Args:
        model: The model; compiled if its optimizer's state is wanted.
        path: What `save` wrote.

    Raises:
        FileNotFoundError: If it is not there (any more).
    """
    if not path.exists():
        raise FileNotFoundError(
            f"There are no weights at {path}. A search keeps those of its best trials only; "
            "keep_checkpoints= says of how many."
        )
    if not model.built:
        model.build_from_config(json.loads(path.with_name(_BUILD).read_text()))
    if getattr(model, "optimizer", None) is not None:
        model.optimizer.build(model.trainable_variables)
    model.load_weights(path)


def go_on_from(model: keras.Model, path: Path) -> None:
    """Loads weights and optimizer state of another trial, but not its learning rate.

    A constant learning rate is one of the optimizer's variables, so that `restore` brings that of
    the model that was saved. A schedule is the model's own in any case; it goes on at the step the
    other trial has reached.

    Args:
        model: The model, compiled with the learning rate it is to train with.
        path: What `save` wrote.

    Raises:
        FileNotFoundError: If it is not there (any more).
    """
    variables = getattr(getattr(model, "optimizer", None), "variables", [])
    rates = [variable for variable in variables if variable.name == "learning_rate"]
    own = [float(keras.ops.convert_to_numpy(rate)) for rate in rates]
    restore(model, path)
    for rate, value in zip(rates, own, strict=True):
        rate.assign(value)


def keep_only(
    project_dir: Path,
    best: Collection[str],
    last: Collection[str],
    among: Collection[str] | None = None,
) -> None:
    """Deletes the weights of all trials that are not named, and folders with nothing else in them.

    Args:
        project_dir: Folder of the project.
        best: Ids of the trials whose best epoch stays.
        last: Ids of the trials whose end stays.
        among: Ids of the trials to look at; all that have a folder if not given.
    """
    names = [f"trial_{trial_id}" for trial_id in among or ()]
    folders = [project_dir / name for name in names if (project_dir / name).is_dir()]
    for folder in project_dir.glob("trial_*") if among is None else folders:
        trial_id = folder.name.removeprefix("trial_")
        keeps = {"checkpoint*.weights.h5": trial_id in best, "last*.weights.h5": trial_id in last}
        for pattern, kept in keeps.items():
            for path in folder.glob(pattern) if not kept else ():
                path.unlink()
        if not any(keeps.values()):
            for name in (_BUILD, _UNFINISHED + BEST, _UNFINISHED + LAST):
                (folder / name).unlink(missing_ok=True)
            if not any(folder.iterdir()):
                folder.rmdir()
