"""What made a search: its tuner, its hypermodel, the versions of the packages, the machine."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from typing import Any

_PACKAGES = ("kt-hpo", "keras", "keras-tuner", "optuna", "numpy")
# The distributions a backend of Keras comes in.
_BACKENDS = {
    "tensorflow": ("tensorflow", "tensorflow-cpu"),
    "jax": ("jax",),
    "torch": ("torch",),
}


def made_by(tuner: Any) -> dict[str, str]:
    """Names what a search is made of.

    Args:
        tuner: The tuner.

    Returns:
        The tuner's class, the sampler or engine where the algorithm has one, the pruner and the
        hypermodel, by what they are.

    Example:
        >>> import kt_hpo
        >>> class Parabola(kt_hpo.RandomSearch):
        ...     def run_trial(self, trial):
        ...         return trial.hyperparameters.Float("x", -1, 1) ** 2
        >>> made_by(Parabola(directory="runs", project_name="provenance"))
        {'tuner': 'Parabola'}
    """
    oracle = tuner.oracle
    parts = {
        "tuner": tuner,
        "sampler": getattr(oracle, "sampler", None),
        "pruner": getattr(oracle, "pruner", None),
        "executor": getattr(tuner, "executor", None),
    }
    names = {part: type(made).__name__ for part, made in parts.items() if made is not None}
    usual = {"NopPruner", "Inline"}
    names = {part: name for part, name in names.items() if name not in usual}
    hypermodel = getattr(tuner, "hypermodel", None)
    return names if hypermodel is None else names | {"hypermodel": _name_of(hypermodel)}


def environment() -> dict[str, str]:
    """Names the versions of the packages and the machine's kind.

    Returns:
        Versions by package, and `python`, `system`, `processors`.

    Example:
        >>> environment()["python"] == platform.python_version()
        True
    """
    import keras

    backend = keras.backend.backend()
    found = {"python": platform.python_version()}
    for package in (*_PACKAGES, *_BACKENDS.get(backend, ())):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found | {
        "backend": backend,
        "system": f"{platform.system()} {platform.machine()}",
        "processors": str(os.cpu_count()),
    }


def _name_of(hypermodel: Any) -> str:
    """The name of a class, or of the function that a hypermodel wraps, with that of its module."""
    build = vars(hypermodel).get("build", hypermodel)
    # Keras Tuner puts a method of the hypermodel there, or the function that it wraps.
    is_method = getattr(build, "__self__", build) is hypermodel
    named = type(hypermodel) if is_method or not hasattr(build, "__qualname__") else build
    return (
        named.__qualname__
        if named.__module__ == "__main__"
        else f"{named.__module__}.{named.__qualname__}"
    )
