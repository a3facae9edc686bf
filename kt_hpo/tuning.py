"""One call from data to the best model: `tune`."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import optuna

from kt_hpo import registry
from kt_hpo.algorithms import ALGORITHMS, choose_pruner, make_tuner
from kt_hpo.arguments import (
    check_flag,
    check_number,
    check_whole,
    check_whole_or_none,
    did_you_mean,
    is_one_of,
)
from kt_hpo.complete_search import search_and_test
from kt_hpo.datasets import Splits
from kt_hpo.datasets.given import findings_printed, given
from kt_hpo.engines.auto_search import choose_search
from kt_hpo.execution import Executor, InProcess, Workers
from kt_hpo.execution.processes.devices import count_cores, gpus
from kt_hpo.formatting import file_name
from kt_hpo.objectives import choose_objective
from kt_hpo.ready_models import (
    choose_ensemble,
    choose_epochs,
    choose_folds,
    choose_model,
    make_hypermodel,
)
from kt_hpo.record.journal import FILE_NAME
from kt_hpo.record.studies import open_study
from kt_hpo.registry import MODELS
from kt_hpo.training.hyperparameters import has_own_fit
from kt_hpo.tuner import Tuner

# From so many on several trials run at once.
_CORES = 4
# What each pruner does, in words that follow its name.
_PRUNERS = {
    "median": "which stops what is worse than most were at that epoch",
    None: "no trial is stopped early: epochs do not tell, or the algorithm does it itself",
}


def tune(
    hypermodel: Any,
    data: Any,
    minutes: float | None = 10,
    *,
    target: str | None = None,
    task: str | None = None,
    image_size: tuple[int, int] | None = None,
    objective: Any = "auto",
    algorithm: str = "auto",
    pruner: Any = "auto",
    executor: Any = None,
    max_trials: int | None = None,
    max_epochs: int | None = None,
    batch_size: int | None = None,
    ensemble: int | None = None,
    directory: str | Path | None = None,
    seed: int = 0,
    overwrite: bool = False,
    try_defaults: bool | None = None,
    verbose: int = 1,
    **arguments: Any,
) -> Tuner:
    """Searches for the best model of some data, and retrains, tests and writes it.

    What is not said is chosen, and told in a line each: the model, what is optimized, the folds,
    the algorithm, the pruner and how trials run. Models are trained on one split of the data and
    compared on a second, or on folds of both where rows are few; the best is retrained on both and
    tested once on a third, which nothing has looked at before. The same call again goes on with the
    search.

    Args:
        hypermodel: The name of a ready one (`"mlp"`, `"cnn"`, ...), or `"auto"` for what suits the
            data; a `keras_tuner.HyperModel` or a class of these, which gets what its constructor
            asks for by name (see `kt_hpo.ready_models.make_hypermodel`); or a function `build(hp)`.
        data: The name of a data set; the path of a table or of a folder; a `pandas.DataFrame`;
            arrays `(x, y)`; pairs of them to train and to test with; or `kt_hpo.datasets.Splits`.
        minutes: Time in all, the retraining included; None for as long as `max_trials` take.
        target: The column of a table to predict; its last if not given.
        task: `"classification"` or `"regression"`, where the type of the targets misleads.
        image_size: Height and width in pixels to resize the images of a folder to.
        objective: What is optimized, as in `kt_hpo.Tuner`.
        algorithm: One of `kt-hpo search --help`: freeze_thaw, tpe, random, hyperband, ...; `"auto"`
            for what suits the search.
        pruner: Which trials stop early, as in `kt_hpo.Tuner`.
        executor: How trials run, as in `kt_hpo.Tuner`; None for a process for each of several
            GPUs, or for two cores each, from four on, and one trial after the other elsewhere.
        max_trials: How many trials at most, the epochs of so many full trainings where they pause;
            None for as many as there is time for.
        max_epochs: Epochs of a trial at most; None for 20, and for more where a table is small.
        batch_size: For a hypermodel that does not choose its own.
        ensemble: How often the best model is retrained, if there is time: the mean of all is the
            result. None for 5 where a ready model learns a table or a forecast, and else 1.
        directory: Folder of the search; `runs/<data>-<model>` by default.
        seed: The same seed gives the same splits and the same trials.
        overwrite: Whether to forget what the folder holds.
        try_defaults: Whether the first trial tries the default of every hyperparameter; None for
            where the hypermodel wants that, as the ready ones do.
        verbose: 0 is silent, 2 shows the epochs of all trials.
        **arguments: Others of the algorithm's tuner, such as `constraint`, `cross_validation` or
            `early_stopping`.

    Returns:
        The tuner. `kt_hpo.load(tuner)` is the model, ready to predict from new rows; the folder has
        the files of `kt-hpo search`.

    Raises:
        ValueError: If the data or an argument is not allowed, or the folder holds another search.
        FileNotFoundError: If a path leads nowhere.
        RuntimeError: If the time was too short for a single trial, or trials fail.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(80, 2))
        >>> tuner = tune("mlp", (x, x[:, 0] > 0), max_trials=2, verbose=0, directory="runs/signs")
        >>> sorted(tuner.study.user_attrs["test"])
        ['accuracy', 'loss']
    """
    begun = time.monotonic()
    _check(
        minutes, max_trials, max_epochs, batch_size, ensemble, algorithm, seed, overwrite, verbose
    )
    with findings_printed(verbose):
        splits = given(data, target=target, task=task, image_size=image_size, seed=seed)
    say = print if verbose else _silent
    epochs = choose_epochs(splits.train, hypermodel)
    if max_epochs is None:
        max_epochs = epochs.most
    chosen = _choices(hypermodel, splits, objective, algorithm, pruner, max_epochs, arguments, say)
    if executor is None:
        executor, reason = choose_executor()
        say(f"Executor: {executor}, because {reason}.")
    default = f"runs/{file_name(splits.train.name)}-{file_name(chosen.name)}"
    folder = Path(default if directory is None else directory)
    counts_epochs = registry.algorithms()[chosen.algorithm].counts_epochs
    told = f"the epochs of {max_trials} trainings" if counts_epochs else f"{max_trials} trials"
    told = told if minutes is None else f"{minutes:g} minutes in all"
    say(f"Search: {told}, in {folder}.")
    wanted = {
        "data": _fingerprint(splits),
        "hypermodel": chosen.name,
        "objective": str(chosen.objective),
        "algorithm": chosen.algorithm,
        "max_epochs": max_epochs,
        "seed": seed,
    }
    goes_on = not overwrite and _goes_on(folder, wanted)
    tuner = make_tuner(
        chosen.algorithm,
        max_trials,
        max_epochs,
        hypermodel=chosen.hypermodel,
        objective=chosen.objective,
        pruner=chosen.pruner,
        try_defaults=getattr(chosen.hypermodel, "tries_defaults", False)
        if try_defaults is None
        else try_defaults,
        executor=executor,
        seed=seed,
        directory=folder.parent,
        project_name=folder.name,
        overwrite=not goes_on,
        time_budget=None if minutes is None else 60 * minutes,
        **{"min_epochs": epochs.first, "cross_validation": chosen.folds} | arguments,
    )
    tuner.oracle.record.note(tuned=wanted)
    found = search_and_test(
        tuner,
        splits,
        max_epochs=max_epochs,
        batch_size=batch_size,
        ensemble=choose_ensemble(chosen.name, splits.train) if ensemble is None else ensemble,
        verbose=verbose,
        begun=begun,
    )
    if not found:
        raise RuntimeError(
            f"No trial was completed within {minutes:g} minutes: give more minutes, fewer "
            "max_epochs or a smaller model. The same call again goes on."
        )
    return tuner


def choose_executor() -> tuple[Executor, str]:
    """Chooses how trials run by what this machine has.

    Returns:
        The executor, and the reason in words that follow "because".

    Example:
        >>> executor, reason = choose_executor()
        >>> reason.startswith("there")
        True
    """
    count, cores = len(gpus()), count_cores()
    if count > 1:
        return Workers(count, gpus_per_trial=1), f"there are {count} GPUs"
    if count == 0 and cores >= _CORES:
        return Workers(min(cores // 2, 8)), f"there are {cores} cores, and a trial uses about two"
    there = "is one GPU" if count else "are no cores for several trials at once"
    return InProcess(), f"there {there}"


def _check(
    minutes: Any,
    max_trials: Any,
    max_epochs: Any,
    batch_size: Any,
    ensemble: Any,
    algorithm: Any,
    seed: Any,
    overwrite: Any,
    verbose: Any,
) -> None:
    """Refuses what is not allowed before any data are read."""
    if minutes is not None:
        check_number(0, minutes=minutes)
    check_whole_or_none("for as many as suit the data", max_epochs=max_epochs)
    check_whole(0, seed=seed, verbose=verbose)
    check_whole_or_none("for as many as there is time for", max_trials=max_trials)
    check_whole_or_none("for the model's own", batch_size=batch_size)
    check_whole_or_none("for as many as suit the data", ensemble=ensemble)
    check_flag(overwrite=overwrite)
    if minutes is None and max_trials is None:
        raise ValueError("The search would not end: give minutes, or max_trials.")
    if not is_one_of(algorithm, ALGORITHMS):
        raise ValueError(
            f"algorithm={algorithm!r} is not allowed; give one of "
            f"{', '.join(ALGORITHMS)}.{did_you_mean(str(algorithm), ALGORITHMS)}"
        )


def _hypermodel(hypermodel: Any, splits: Splits, max_epochs: int) -> Any:
    if isinstance(hypermodel, str) and hypermodel not in MODELS:
        raise ValueError(
            f"hypermodel={hypermodel!r} is not allowed; give auto, {', '.join(MODELS)}, a "
            f"HyperModel, or a function build(hp).{did_you_mean(hypermodel, MODELS)}"
        )
    return make_hypermodel(hypermodel, splits.train, max_epochs, f"hypermodel={hypermodel!r}")


def _name(hypermodel: Any) -> str:
    """What a search of it is called."""
    if isinstance(hypermodel, str):
        return hypermodel
    return str(getattr(hypermodel, "__name__", None) or type(hypermodel).__name__)


class _Choices(NamedTuple):
    """What is searched, and how."""

    hypermodel: Any
    name: str
    objective: Any
    algorithm: str
    pruner: Any
    folds: Any


def _choices(
    hypermodel: Any,
    splits: Splits,
    objective: Any,
    algorithm: str,
    pruner: Any,
    max_epochs: int,
    arguments: Mapping[str, Any],
    say: Callable[[str], None],
) -> _Choices:
    """Chooses what is left to choose of a search, and says why."""
    train, validation, test = splits
    classes = "numbers" if train.num_classes is None else f"{train.num_classes} classes"
    say(
        f"Data: {train.name}, {classes}; {len(train):,} samples to train on, {len(validation):,} "
        f"to compare trials on, {len(test):,} for the test at the end."
    )
    if is_one_of(hypermodel, ("auto",)):
        hypermodel, reason = choose_model(train)
        say(f"Model: {hypermodel}, because {reason}.")
    if is_one_of(objective, ("auto",)):
        objective, reason = choose_objective(train, len(validation))
        say(f"Objective: {objective}, because {reason}.")
    made = _hypermodel(hypermodel, splits, max_epochs)
    if "cross_validation" in arguments:
        folds = arguments["cross_validation"]
    else:
        folds, reason = choose_folds(_name(hypermodel), algorithm, train, validation)
        say(f"Folds: {folds or 'none'}, because {reason}.")
    if algorithm == "auto":
        choice = choose_search(
            objective,
            max_epochs,
            has_own_training=has_own_fit(made),
            has_constraint="constraint" in arguments,
            has_folds=folds is not None,
            has_pruner=pruner is not None and not is_one_of(pruner, ("auto", "none")),
        )
        algorithm = choice.algorithm
        say(f"Algorithm: {algorithm}, {ALGORITHMS[algorithm]}, because {choice.reason}.")
    if is_one_of(pruner, ("auto",)):
        pruner = choose_pruner(algorithm, objective)
        say(f"Pruner: {pruner or 'none'}, {_PRUNERS[pruner]}.")
    return _Choices(made, _name(hypermodel), objective, algorithm, pruner, folds)


def _fingerprint(splits: Splits) -> str:
    """Tells data from others."""
    seen = hashlib.sha256()
    for part in splits:
        for array in part.arrays:
            seen.update(f"{array.shape} {array.dtype} ".encode())
            seen.update(np.ascontiguousarray(array).view(np.uint8).data)
    return seen.hexdigest()[:16]


def _goes_on(folder: Path, wanted: Mapping[str, Any]) -> bool:
    """Whether the search goes on with what is in its folder, or begins it.

    Raises:
        ValueError: If there are trials of another search.
    """
    study = _study(folder)
    if study is None or not study.get_trials(deepcopy=False):
        return False
    known = study.user_attrs.get("tuned", {})
    others = [name for name in wanted if known.get(name) != wanted[name]]
    if not others:
        return True
    what = ", ".join(f"{name} {known[name]}" for name in others if name in known and name != "data")
    other_data = "other data" if "data" in others and "data" in known else ""
    said = ", ".join(filter(None, [other_data, what])) or "another program or command"
    raise ValueError(
        f"{folder} holds a search with {said}. Choose another directory=, or overwrite=True to "
        "forget it."
    )


def _study(folder: Path) -> optuna.Study | None:
    return open_study(folder / FILE_NAME) if (folder / FILE_NAME).is_file() else None


def _silent(*_: Any) -> None:
    """Prints nothing."""
