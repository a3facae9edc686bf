"""`--data`: a data set by name, a file, a folder, or what a function of the user's returns."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from kt_hpo.cli.settings import Settings
from kt_hpo.cli.values import is_target
from kt_hpo.targets import load_target

if TYPE_CHECKING:
    from kt_hpo.datasets import Splits


def load_data(settings: Settings) -> Splits:
    """Loads the data of a search, and prints what they show (unless `verbose` is 0).

    Args:
        settings: The settings of the search.

    Returns:
        Train, validation and test data.

    Raises:
        ValueError: If there are none of that name, or they cannot be split.
        FileNotFoundError: If a path leads nowhere.
    """
    from kt_hpo.datasets.given import findings_printed

    with findings_printed(settings.get("verbose", 1)):
        return _load(settings)


def _load(settings: Settings) -> Splits:
    from kt_hpo import datasets
    from kt_hpo.datasets.given import to_splits

    data, seed, task = settings["data"], settings["seed"], settings.get("task")
    names = ("target", "task", "image_size")
    how = {name: settings[name] for name in names if name in settings}
    if "image_size" in how:
        how["image_size"] = tuple(how["image_size"])
    if not is_target(data):
        return datasets.load(data, seed=seed, **how)
    for name in ("target", "image_size"):
        if name in how:
            raise ValueError(f"{name}={how[name]!r} means nothing for {data}: leave it out.")
    load = load_target(data, f"--data {data}")
    if not callable(load):
        raise ValueError(f"--data {data} is no function; name one that returns the data.")
    takes_seed = "seed" in inspect.signature(load).parameters
    return to_splits(load(seed=seed) if takes_seed else load(), data, seed, task)
