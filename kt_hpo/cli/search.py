"""`kt-hpo search`: a data set searched for the best model."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from kt_hpo.algorithms import ALGORITHMS
from kt_hpo.cli.parser import add_options
from kt_hpo.cli.settings import FILE_NAME, Settings, as_flags, complete, given_flags, write_file
from kt_hpo.startup import quiet_tensorflow
from kt_hpo.targets import check_target, working_in

_EPILOG = (
    "algorithms:\n"
    + "".join(f"  {name:<11}{words}\n" for name, words in ALGORITHMS.items())
    + """
examples:
  kt-hpo search --data mnist5k --model cnn --algorithm hyperband --max-epochs 12
  kt-hpo search --data wine.csv --target quality --model mlp --minutes 10
  kt-hpo search --data my_module:load --model my_module:MyHyperModel --algorithm tpe \\
      --pruner asha --max-trials 100 --directory runs/mine
  kt-hpo search --config search.toml --seed 1 --directory runs/one

The same command again, or `kt-hpo resume FOLDER`, goes on where the search was interrupted, or
shows what it found.
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
        usage="kt-hpo search --data DATA [--model MODEL] [option ...]",
    )
    add_options(command)
    command.set_defaults(run=search, parser=command)


def search(options: argparse.Namespace) -> None:
    """Searches a data set, or goes on with it, and shows and writes what was found.

    Args:
        options: The parsed arguments of `kt-hpo search`.
    """
    run(complete(given_flags(options)))


def run(settings: Settings) -> None:
    """Searches with settings that are complete.

    Args:
        settings: The settings.

    Raises:
        KeyboardInterrupt: If Ctrl-C was pressed; says how to go on.
    """
    with working_in(Path(settings.get("folder", "."))):
        directory = _directory(settings)
        settings |= {"folder": str(Path.cwd()), "directory": str(directory)}
        try:
            _search(settings, directory)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                f"The same command goes on from here, or `kt-hpo resume {settings['directory']}`."
            ) from None


def _search(settings: Settings, directory: Path) -> None:
    begun = time.monotonic()
    with quiet_tensorflow():
        from kt_hpo.cli import data, resume_check
        from kt_hpo.record.studies import open_study

    overwrite = settings.get("overwrite", False) or not resume_check.goes_on(directory, settings)
    if overwrite:
        resume_check.check_unclaimed(directory)
    if ":" in settings["model"]:
        check_target(settings["model"], f"--model {settings['model']}")
    if past := settings.get("warm_start"):
        open_study(past)
    splits = data.load_data(settings)
    # Keras takes seconds to import; what is wrong with names and the data has been said by now.
    with quiet_tensorflow():
        from kt_hpo.cli import tuners
        from kt_hpo.complete_search import search_and_test
        from kt_hpo.objectives import choose_objective
        from kt_hpo.ready_models import (
            choose_ensemble,
            choose_epochs,
            choose_folds,
            choose_model,
            make_hypermodel,
        )

    train, model = splits.train, settings["model"]
    if model == "auto":
        model, reason = choose_model(train)
        if settings["verbose"]:
            print(f"Model: {model}, because {reason}.")
    epochs = choose_epochs(train, model)
    max_epochs = settings.get("max_epochs", epochs.most)
    hypermodel = make_hypermodel(model, train, max_epochs)
    objective, _ = choose_objective(train, len(splits.validation))
    folds, reason = choose_folds(model, settings["algorithm"], train, splits.validation)
    if folds and "cross_validation" not in settings and settings["verbose"]:
        print(f"Folds: {folds}, because {reason}.")
    tuner = tuners.tuner_for(
        {"cross_validation": folds, "max_epochs": max_epochs} | settings,
        hypermodel,
        objective,
        directory,
        overwrite,
        min_epochs=epochs.first,
    )
    write_file(directory / FILE_NAME, settings)
    tuner.oracle.record.note(command=as_flags(settings))
    search_and_test(
        tuner,
        splits,
        max_epochs=max_epochs,
        batch_size=settings.get("batch_size"),
        ensemble=settings.get("ensemble", choose_ensemble(model, train)),
        verbose=settings["verbose"],
        begun=begun,
    )


def _directory(settings: Settings) -> Path:
    """The search's folder, which has a name: the project's."""
    directory = Path(settings["directory"])
    return directory if directory.name not in ("", "..") else directory.resolve()
