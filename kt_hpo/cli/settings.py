"""What a search is begun with: flags over a file over defaults, and the file it is kept in."""

from __future__ import annotations

import argparse
import shlex
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kt_hpo import registry
from kt_hpo.arguments import did_you_mean
from kt_hpo.cli.options import GROUPS, NEEDED, OPTIONS
from kt_hpo.formatting import file_name

FILE_NAME = "search.toml"
# The default of --max-trials where it means full trainings.
FULL_TRAININGS = 20
# Endings of files that a folder is not named after.
_SUFFIXES = (".csv", ".gz", ".parquet", ".tsv", ".txt")
# Names of options by their values; what was not given is missing.
Settings = dict[str, Any]

_HEADER = """\
# Written by `kt-hpo search`: what this search was begun with. `kt-hpo resume` goes on with it, and
# `kt-hpo search --config` takes a file such as this one.
"""


def complete(given: Mapping[str, Any]) -> Settings:
    """Adds what was not given on the command line from the file it names, and the defaults.

    Args:
        given: The options that were given, as a shell has them: texts, and True for a flag alone.

    Returns:
        The settings.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If a value is not allowed, the file is not understood, or something needed is
            given nowhere.

    Example:
        >>> complete({"data": "wine", "model": "mlp", "directory": "runs/wine"})["max_trials"]
        20
    """
    flags = {
        name: OPTIONS[name].read(value, f"{OPTIONS[name].flag} {value}")
        for name, value in given.items()
    }
    from_file = read_file(Path(flags["config"])) if "config" in flags else {}
    settings = from_file | _in_seconds(flags)
    defaults = {name: o.default for name, o in OPTIONS.items() if o.default is not None}
    algorithm = settings.get("algorithm", defaults["algorithm"])
    if registry.algorithms()[algorithm].counts_epochs:
        defaults["max_trials"] = FULL_TRAININGS
    if "time_budget" in settings:
        del defaults["max_trials"]  # The time says when it is enough.
    settings = defaults | settings
    missing = [OPTIONS[name].flag for name in NEEDED if name not in settings]
    if missing:
        raise ValueError(
            f"a search needs {', '.join(missing)} too, on the command line or in a --config file."
        )
    _check_together(settings, flags)
    return {"directory": default_directory(settings["data"], settings["model"]), **settings}


def _check_together(settings: Settings, flags: Settings) -> None:
    """Refuses options that exclude or need each other, before anything heavy is imported."""
    algorithm, pruner = settings["algorithm"], settings["pruner"]
    engine = registry.algorithms()[algorithm]
    # BOHB is a sampler with any pruner, and auto chooses what goes with one.
    stops_trials = algorithm in engine.prunes and algorithm not in ("auto", "bohb")
    if stops_trials and pruner not in ("auto", "none"):
        raise ValueError(
            f"--pruner {pruner} with --algorithm {algorithm}: both decide which trials stop "
            "early. Leave --pruner out, or give another algorithm."
        )
    if "max_trials" in flags and "max_trials" not in engine.budget:
        raise ValueError(
            f"--max-trials {flags['max_trials']} with --algorithm {algorithm}: it plans its "
            "own trials, by --max-epochs. Leave --max-trials out."
        )
    executor, workers = settings.get("executor"), settings.get("workers")
    if executor == "ray" and workers is None:
        raise ValueError("--executor ray with no --workers: give --workers N, that many at once.")
    for name in ("address", "storage_path"):
        if name in settings and executor != "ray":
            raise ValueError(
                f"{OPTIONS[name].flag} is about a Ray cluster: give --executor ray too."
            )
    if executor not in (None, "ray") and (executor == "workers") != (workers is not None):
        said = f"--workers {workers}" if executor != "workers" else "no --workers"
        raise ValueError(
            f"--executor {executor} with {said}: give --workers N for that many processes, "
            "without --executor, or leave it out."
        )
    if "gpus_per_trial" in settings and workers is None:
        raise ValueError("--gpus-per-trial is about workers: give --workers too.")


def default_directory(data: str, model: str) -> str:
    """Names the folder of a search that was given none.

    Args:
        data: What `--data` takes.
        model: What `--model` takes.

    Returns:
        `runs/<data>-<model>`, or `runs/<data>` where that is `auto`.

    Example:
        >>> default_directory("tables/wine.csv", "mlp")
        'runs/wine-mlp'
        >>> default_directory("my_module:load", "my_module:MyHyperModel")
        'runs/my_module.load-my_module.MyHyperModel'
    """
    path = Path(data).resolve()
    name = path.stem if path.suffix.lower() in _SUFFIXES else path.name
    return f"runs/{file_name(name)}" + f"-{file_name(model)}" * (model != "auto")


def read_file(path: Path) -> Settings:
    """Reads settings.

    Args:
        path: A .toml, .yaml or .yml file whose keys are the names of options.

    Returns:
        The settings.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not understood, an option is not known (the nearest is suggested), or
            its value is not allowed.
    """
    settings: Settings = {}
    for name, value in _parse(path).items():
        option = OPTIONS.get(name)
        if option is None:
            allowed = [known for known, option in OPTIONS.items() if option.in_file]
            hint = did_you_mean(str(name), allowed) or f" There are {', '.join(allowed)}."
            raise ValueError(f"{name!r} in {path} is no option of a search.{hint}")
        if not option.in_file:
            raise ValueError(
                f"{name!r} in {path} is for the command line alone: leave it out, and give "
                f"{option.flag} where it is meant."
            )
        if value is not None:
            settings[name] = option.read(value, f"{name} = {value!r} in {path}")
    return settings


def write_file(path: Path, settings: Settings) -> None:
    """Writes settings, for people and `read_file` to read.

    Args:
        path: The file, written whole or not at all, and not again if it says the same; for its
            owner alone where it may hold a password, that of a data base.
        settings: The settings.
    """
    text = to_toml(settings)
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.unfinished")
    private = "@" in settings.get("storage", "")
    unfinished.touch(mode=0o600 if private else 0o666)
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)


def to_toml(settings: Settings) -> str:
    """Writes settings as TOML, in the groups of `--help`.

    Args:
        settings: The settings.

    Returns:
        The text.

    Example:
        >>> print(to_toml({"data": "wine", "seed": 3}).split("one.")[1].strip())
        # what is searched
        data = "wine"
        <BLANKLINE>
        # how it is searched
        seed = 3
    """
    import tomli_w

    parts = [_HEADER]
    for group in GROUPS:
        names = [option.name for option in group.options if option.in_file]
        there = {name: settings[name] for name in names if settings.get(name) is not None}
        if there:
            parts.append(f"# {group.title}\n{tomli_w.dumps(there)}")
    return "\n".join(parts)


def as_flags(settings: Settings) -> dict[str, str]:
    """Writes settings as the flags of a shell, for a reader to repeat the search.

    Args:
        settings: The settings.

    Returns:
        The flags' texts by their names, without where the search is kept.

    Example:
        >>> as_flags({"data": "wine", "constraint": ["parameters < 10"], "deterministic": True})
        {'data': 'wine', 'constraint': "'parameters < 10'", 'deterministic': ''}
    """
    places = ("directory", "storage", "folder", "config", "overwrite", "verbose")
    return {
        name: _as_text(value)
        for name, value in settings.items()
        if name not in places and value is not False
    }


def _as_text(value: Any) -> str:
    if value is True:
        return ""
    parts = value if isinstance(value, list) else [value]
    texts = [f"{part:g}" if isinstance(part, float) else str(part) for part in parts]
    return shlex.quote(",".join(texts))


def _in_seconds(flags: Settings) -> Settings:
    """The flags with `time_budget` in the place of `minutes`."""
    if "minutes" not in flags:
        return flags
    if "time_budget" in flags:
        raise ValueError("--minutes and --time-budget say the same: leave one of them out.")
    rest = {name: value for name, value in flags.items() if name != "minutes"}
    return rest | {"time_budget": 60 * flags["minutes"]}


def _parse(path: Path) -> dict[Any, Any]:
    """The file as it stands."""
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {path}.")
    suffix = path.suffix.lower()
    if suffix not in (".toml", ".yaml", ".yml"):
        raise ValueError(f"{path} is neither a .toml nor a .yaml file; name it as what it is.")
    text = path.read_bytes()
    try:
        content = tomllib.loads(text.decode()) if suffix == ".toml" else _parse_yaml(text)
    except ValueError as error:
        raise ValueError(f"{path} is not understood: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} is not understood: write a line `name: value` for each option.")
    return content


def _parse_yaml(text: bytes) -> Any:
    import yaml

    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
    return {} if content is None else content


def given_flags(namespace: argparse.Namespace) -> dict[str, Any]:
    """Picks the options of a search out of the parsed arguments.

    Args:
        namespace: The arguments; an option that was not given is missing.

    Returns:
        What was given, by name.
    """
    return {name: value for name, value in vars(namespace).items() if name in OPTIONS}
