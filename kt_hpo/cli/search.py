"""`kt-hpo search`: a data set searched for the best model."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kt_hpo.algorithms import ALGORITHMS, make_tuner
from kt_hpo.arguments import did_you_mean

if TYPE_CHECKING:
    from kt_hpo.datasets import Dataset, Splits
    from kt_hpo.tuner import Tuner

MODELS = ("mlp", "cnn")

_EPILOG = (
    "algorithms:\n"
    + "".join(f"  {name:<11}{words}\n" for name, words in ALGORITHMS.items())
    + """
examples:
  kt-hpo search --data mnist5k --model cnn --algorithm hyperband --max-epochs 12 \\
      --directory runs/demo
  kt-hpo search --data wine.csv --target quality --model mlp --max-trials 30 --directory runs/wine

The same command run again goes on where the search was interrupted, or shows what it found.
exit status: 0 done, 1 the search failed, 2 wrong arguments or data, 130 interrupted (Ctrl-C)
"""
)


def add_to(commands: Any) -> None:
    """Adds the command.

    Args:
        commands: The subparsers of the program.
    """
    command = commands.add_parser(
        "search",
        help="search a data set for the best model",
        description="Search a data set for the best model, and retrain and test it.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_options(command)
    command.set_defaults(run=search)


def nearest(name: str, allowed: Sequence[str], what: str) -> str:
    """Checks a name, and suggests the one that was meant.

    Args:
        name: What was given.
        allowed: What may be.
        what: What it is a name of.

    Returns:
        The name.

    Raises:
        ValueError: If it is not allowed.
    """
    if name in allowed:
        return name
    hint = did_you_mean(name, allowed, cutoff=0.5)
    raise ValueError(f"{what} {name!r} is not one of {', '.join(allowed)}.{hint}")


def search(options: argparse.Namespace) -> None:
    """Searches a data set, or goes on with it, and shows and writes what was found.

    Args:
        options: The parsed arguments of `kt-hpo search`.
    """
    from kt_hpo.startup import quiet_tensorflow

    options.model = nearest(options.model, MODELS, "--model")
    options.algorithm = nearest(options.algorithm, list(ALGORITHMS), "--algorithm")
    with quiet_tensorflow():
        from kt_hpo import datasets, results

    directory = Path(options.directory)
    data = _load(datasets, options)
    tuner = _make_tuner(options, data.train, directory)
    _check_same_search(tuner, options)
    say = print if options.verbose else _silent
    if tuner.study.user_attrs.get("test") is None:
        arrays = data.train.arrays
        tuner.search(*arrays, validation_data=data.validation.arrays, verbose=options.verbose)
        say("Training the best model on the training and validation data ...")
        results.write_results(tuner, data, directory)
    else:
        say(f"The search in {directory} is finished; this is what it found.")
    if options.verbose:
        _show(tuner, directory, results.FILES)


def _show(tuner: Tuner, directory: Path, files: Sequence[str]) -> None:
    tuner.results_summary(5)
    test = tuner.study.user_attrs["test"]
    measured = ", ".join(f"{name} {value:.4g}" for name, value in test.items())
    print(f"Best model, retrained, on the test data: {measured}")
    print(f"Files in {directory}: {', '.join(files)}")


def _load(datasets: Any, options: argparse.Namespace) -> Splits:
    kwargs = {"target": options.target} if options.target else {}
    return datasets.load(options.data, seed=options.seed, **kwargs)


def _make_tuner(options: argparse.Namespace, train: Dataset, directory: Path) -> Tuner:
    import hypermodels

    models = {"mlp": hypermodels.MLPHyperModel, "cnn": hypermodels.CNNHyperModel}
    hypermodel = models[options.model](
        train.input_shape,
        train.num_classes,
        train_size=len(train),
        epochs=options.max_epochs,
    )
    default = "val_loss" if train.task == "regression" else "val_accuracy"
    common = {
        "hypermodel": hypermodel,
        "objective": [name.strip() for name in (options.objective or default).split(",")],
        "seed": options.seed,
        "directory": directory.parent,
        "project_name": directory.name,
        "overwrite": options.overwrite,
        "storage": options.storage,
        "pruner": options.pruner,
        "executor": options.workers,
    }
    return make_tuner(options.algorithm, options.max_trials, options.max_epochs, **common)


def _check_same_search(tuner: Tuner, options: argparse.Namespace) -> None:
    """Refuses to mix two searches in one directory."""
    wanted = {
        name: getattr(options, name)
        for name in ("data", "target", "model", "algorithm", "max_epochs", "max_trials", "seed")
    }
    known = tuner.study.user_attrs.get("command")
    if known is None:
        tuner.study.set_user_attr("command", wanted)
        return
    changed = [
        f"--{name.replace('_', '-')} {known[name]} (now {value})"
        for name, value in wanted.items()
        if known[name] != value
    ]
    if changed:
        raise ValueError(
            f"{options.directory} holds a search with other arguments: {', '.join(changed)}. "
            "Repeat them to go on with it, choose another --directory, or --overwrite it."
        )


def _silent(*_: Any) -> None:
    """Prints nothing."""


def _add_options(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--data", required=True, help="name of a data set, a .csv file or a folder of images")
    add("--target", help="column of a .csv file to predict; its last by default")
    add("--model", required=True, help=f"one of {', '.join(MODELS)}")
    add("--algorithm", default="random", help="one of those below; default random")
    add("--directory", required=True, help="where the search is kept")
    add("--max-trials", type=_count, default=20, help="not for hyperband and pbt; default 20")
    add("--max-epochs", type=_count, default=20, help="epochs of a trial at most; default 20")
    add(
        "--objective",
        help="metrics to optimise, or latency, parameters, flops, training_seconds, "
        "generalization_gap; several with commas; default val_accuracy, or val_loss for numbers",
    )
    add("--pruner", help="which trials stop early: median, percentile, asha or hyperband")
    add("--workers", type=_count, help="trials that run at once, each in a process of its own")
    add("--seed", type=int, default=0, help="the same seed gives the same trials; default 0")
    add("--storage", help="URL of a data base for the record, such as sqlite:///trials.db")
    add("--overwrite", action="store_true", help="forget what the directory holds")
    add("--verbose", type=int, choices=(0, 1, 2), default=1, help="0 silent, 2 shows all epochs")


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError(f"{text} is not allowed; give a number from 1 on")
    return count
