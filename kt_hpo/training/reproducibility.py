"""What makes a search repeatable, and what has to be known to repeat it."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import optuna
from keras_tuner.engine.trial import Trial

from kt_hpo.provenance import environment

_SECONDS = 5


def seed_of(seed: int, trial: Trial, execution: int = 0, fold: int = 0) -> int:
    """Derives the seed of a training from its trial's number, independent of all others.

    Args:
        seed: The seed of the search.
        trial: The trial.
        execution: The execution, counted from 0.
        fold: The fold of the cross-validation, likewise.

    Returns:
        A number below 2**32.
    """
    place = [execution, fold] if fold else [execution]
    sequence = np.random.SeedSequence([seed, int(trial.trial_id), *place])
    return int(sequence.generate_state(1)[0])


def make_deterministic() -> None:
    """Has the backend compute with deterministic operations only, in all of this process.

    They may be slower, and an operation that has no deterministic form fails; see
    `tf.config.experimental.enable_op_determinism` and `torch.use_deterministic_algorithms`. JAX
    decides on this when it starts, by `XLA_FLAGS=--xla_gpu_deterministic_ops=true`; on the CPU it
    is deterministic in any case.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        # It asks for a seed: each training sets its own before it begins.
        tf.random.set_seed(0)
        tf.config.experimental.enable_op_determinism()
    elif backend == "torch":
        import torch

        torch.use_deterministic_algorithms(True)


def record_environment(study: optuna.Study) -> None:
    """Adds what the search runs on now to its record, if that is not what it ran on before.

    `study.user_attrs["environments"]` lists them: `kt_hpo.provenance.environment()`, with `devices`
    (names), `git_commit` of the program's folder, and `from_trial`, the first trial begun there.

    Args:
        study: The record.
    """
    known = study.user_attrs.get("environments", [])
    now = {**environment(), "devices": device_names(), "git_commit": git_commit()}
    if not known or {**known[-1], "from_trial": None} != {**now, "from_trial": None}:
        begun = len(study.get_trials(deepcopy=False))
        study.set_user_attr("environments", [*known, {"from_trial": begun, **now}])


def device_names() -> list[str]:
    """Names the devices that Keras computes on.

    Returns:
        The GPUs, for example `"NVIDIA A100-SXM4-40GB"`; where there are none, the processor.
    """
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
            timeout=_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return ended.stdout.strip()
