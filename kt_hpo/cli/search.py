"""`kt-hpo search`: a data set searched for the best model."""

from __future__ import annotations

import argparse
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

from kt_hpo.algorithms import ALGORITHMS
from kt_hpo.cli.parser import add_options
from kt_hpo.cli.settings import FILE_NAME, Settings, as_flags, complete, given_flags, write_file
from kt_hpo.cli.targets import working_in
from kt_hpo.startup import quiet_tensorflow

if TYPE_CHECKING:
    from kt_hpo.datasets import Splits
    from kt_hpo.tuner import Tuner

_EPILOG = (
    "algorithms:\n"
    + "".join(f"  {name:<11}{words}\n" for name, words in ALGORITHMS.items())
    + """
examples:
  kt-hpo search --data mnist5k --model cnn --algorithm hyperband --max-epochs 12 \\
      --directory runs/demo
  kt-hpo search --data wine.csv --target quality --model mlp --max-trials 30 --directory runs/wine
  kt-hpo search --data my_module:load --model my_module:MyHyperModel --algorithm tpe \\
      --pruner asha --time-budget 2h --directory runs/mine
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
        usage="kt-hpo search --data DATA --model MODEL --directory FOLDER [option ...]",
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
    with quiet_tensorflow():
        from kt_hpo import result_files
        from kt_hpo.cli import data, model, resume_check, tuners
        from kt_hpo.record import tables

    overwrite = settings.get("overwrite", False) or not resume_check.goes_on(directory, settings)
    if overwrite:
        resume_check.check_unclaimed(directory)
    splits = data.load_data(settings)
    train = splits.train
    hypermodel = model.make_hypermodel(settings["model"], train, settings["max_epochs"])
    tuner = tuners.tuner_for(settings, hypermodel, train.task, directory, overwrite)
    write_file(directory / FILE_NAME, settings)
    tuner.oracle.record.note(command=as_flags(settings))
    say = print if settings["verbose"] else _silent
    if _is_over(tuner):
        say(f"The search in {directory} is finished; this is what it found.")
    else:
        tuner.oracle.record.note(test=None)
        epochs = {} if model.fits_its_own_way(hypermodel) else {"epochs": settings["max_epochs"]}
        _run_trials(tuner, splits, settings, epochs)
        if tuner.oracle.why_none_is_best() and not tuner.study.user_attrs["finished"]:
            say("The time is up, and no trial has been completed yet.")
            return
        say("Training the best model on the training and validation data ...")
        result_files.write_results(tuner, splits, directory, **_batches(settings))
    if settings["verbose"]:
        print(tables.summarize_best(tuner.study))
        test = ", ".join(f"{k} {v:.4g}" for k, v in tuner.study.user_attrs["test"].items())
        print(f"Best model, retrained, on the test data: {test}")
        print(
            fill(
                f"Files in {directory}: {', '.join([*result_files.FILES, FILE_NAME])}", tables.WIDTH
            )
        )
        print(f"Next: kt-hpo report {directory}")


def _run_trials(tuner: Tuner, splits: Splits, settings: Settings, epochs: dict[str, int]) -> None:
    """Searches with the data as the validation needs them."""
    kwargs = {**_batches(settings), **epochs, "verbose": settings["verbose"]}
    if "cross_validation" in settings:
        tuner.search(*splits.train.concatenate(splits.validation).arrays, **kwargs)
    else:
        tuner.search(*splits.train.arrays, validation_data=splits.validation.arrays, **kwargs)


def _is_over(tuner: Tuner) -> bool:
    """Whether all the trials there shall be have been run, and the best model tested."""
    known = tuner.study.user_attrs
    as_planned = known.get("planned_trials") == tuner.oracle.planned_trials
    return bool(known.get("finished") and as_planned and known.get("test") is not None)


def _batches(settings: Settings) -> dict[str, int]:
    return {name: settings[name] for name in ("batch_size",) if name in settings}


def _directory(settings: Settings) -> Path:
    """The search's folder, which has a name: the project's."""
    directory = Path(settings["directory"])
    return directory if directory.name not in ("", "..") else directory.resolve()


def _silent(*_: Any) -> None:
    """Prints nothing."""
