"""What made a search: its tuner, its hypermodel, the versions of the packages, the machine."""

from __future__ import annotations

import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import optuna

_PACKAGES = ("kt-hpo", "keras", "keras-tuner", "optuna", "numpy", "scikit-learn")
# The distributions a backend of Keras comes in.
_BACKENDS = {
    "tensorflow": ("tensorflow", "tensorflow-cpu"),
    "jax": ("jax", "jaxlib"),
    "torch": ("torch",),
}
_GIT_SECONDS = 5


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
    usual = {"NopPruner", "InProcess"}
    names = {part: name for part, name in names.items() if name not in usual}
    hypermodel = getattr(tuner, "hypermodel", None)
    return names if hypermodel is None else names | {"hypermodel": _name_of(hypermodel)}


def environment() -> dict[str, Any]:
    """Describes what a search runs on.

    Returns:
        `python`, `packages` (versions by name), `backend`, `platform`, `devices` (names), and the
        `git_commit` of the program's folder, with `+` behind it where files are changed; None where
        there is no repository.

    Example:
        >>> sorted(environment())
        ['backend', 'devices', 'git_commit', 'packages', 'platform', 'python']
    """
    import keras

    backend = keras.backend.backend()
    packages = (*_PACKAGES, *_BACKENDS.get(backend, ()))
    return {
        "python": platform.python_version(),
        "packages": {name: version for name in packages if (version := _version(name))},
        "backend": backend,
        "platform": platform.platform(),
        "devices": device_names(),
        "git_commit": git_commit(),
    }


def record_environment(study: optuna.Study) -> None:
    """Adds what the search runs on now to its record, if that is not what it ran on before.

    `study.user_attrs["environments"]` lists them, each with `from_trial`, the first trial that was
    begun in it.

    Args:
        study: The record.
    """
    known = study.user_attrs.get("environments", [])
    now = environment()
    if not known or {**known[-1], "from_trial": None} != {**now, "from_trial": None}:
        begun = len(study.get_trials(deepcopy=False))
        study.set_user_attr("environments", [*known, {"from_trial": begun, **now}])


def device_names() -> list[str]:
    """Names the devices that Keras computes on.

    Returns:
        The GPUs, for example `"NVIDIA A100-SXM4-40GB"`; where there are none, the processor.
    """
    import keras

    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
        details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
        named = [one.get("device_name", "GPU") for one in details]
    elif backend == "jax":
        import jax

        named = [device.device_kind for device in jax.devices() if device.platform != "cpu"]
    else:
        named = [name for name in keras.distribution.list_devices() if "cpu" not in name]
    return named or [_processor()]


def git_commit() -> str | None:
    """Finds the commit of the repository that the running program lies in.

    Returns:
        Its hash, with `+` behind it where tracked files are changed; None without git.
    """
    program = getattr(sys.modules.get("__main__"), "__file__", None)
    folder = Path(program).resolve().parent if program else Path.cwd()
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return None
    changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return f"{commit}+" if changed else commit


def _processor() -> str:
    """The name of the processor, which Python tells of some systems only."""
    described = Path("/proc/cpuinfo")
    for line in described.read_text().splitlines() if described.exists() else []:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _git(folder: Path, *arguments: str) -> str | None:
    """What git prints; None where it is not installed, too slow, or finds nothing."""
    try:
        ended = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            timeout=_GIT_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return ended.stdout.strip()


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


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
