"""Who gets which cores and GPUs of this machine."""

from __future__ import annotations

import math
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from kt_hpo.startup import tensorflow_gpus

# What reads these sizes its pool of threads by them; what a user has set stays.
_THREADS = (
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
)
# The part of a GPU's memory that models may use; the rest is its driver's and libraries'.
_USABLE = 0.9


@dataclass(frozen=True)
class Gpu:
    """A GPU.

    Attributes:
        name: What `CUDA_VISIBLE_DEVICES` calls it.
        memory: Its memory in MiB, if that is known.
    """

    name: str
    memory: int | None = None


@dataclass(frozen=True)
class Share:
    """What a worker gets.

    Attributes:
        environment: Environment variables that say so.
        gpu_memory: Memory in MiB that it may use of its one GPU; None for all.
    """

    environment: dict[str, str] = field(default_factory=dict)
    gpu_memory: int | None = None


def count_cores() -> int:
    """Counts the cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def threads(workers: int) -> dict[str, str]:
    """Divides the cores.

    Args:
        workers: How many workers there are.

    Returns:
        Environment variables of each, those left out that are set already.

    Example:
        >>> threads(10_000)["TF_NUM_INTRAOP_THREADS"]
        '1'
    """
    return thread_variables(max(count_cores() // workers, 1))


def thread_variables(cores: int) -> dict[str, str]:
    """Has a process use so many cores.

    Args:
        cores: How many.

    Returns:
        Environment variables of it, those left out that are set already.
    """
    return {name: str(cores) for name in _THREADS if name not in os.environ}


def gpus() -> list[Gpu]:
    """Lists the GPUs that this process may use, without taking hold of one.

    Returns:
        NVIDIA's; those in `CUDA_VISIBLE_DEVICES` where it is set.
    """
    machine = list(_gpus_of_machine())
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return [Gpu(index, memory) for index, _, memory in machine]
    known = {name: memory for *both, memory in machine for name in both}
    names = [name.strip() for name in visible.split(",")]
    return [Gpu(name, known.get(name)) for name in names if name not in ("", "-1", "NoDevFiles")]


def _gpus_of_machine() -> Iterator[tuple[str, str, int | None]]:
    """The index, the UUID and the memory in MiB of each GPU that the driver lists."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return
    query = [program, "--query-gpu=index,uuid,memory.total", "--format=csv,noheader,nounits"]
    found = subprocess.run(query, capture_output=True, text=True, check=False)
    for line in found.stdout.splitlines() if found.returncode == 0 else []:
        index, uuid, memory = (word.strip() for word in line.split(","))
        yield index, uuid, int(memory) if memory.isdigit() else None


def shares(workers: int, gpus_per_trial: float | None, there: Sequence[Gpu]) -> list[Share]:
    """Divides the GPUs.

    Args:
        workers: How many workers there are.
        gpus_per_trial: How many GPUs each has, or which part of one; None to divide all evenly.
        there: The GPUs there are.

    Returns:
        A share for each worker.

    Raises:
        ValueError: If there are not enough.

    Example:
        >>> two = [Gpu("0", 16_000), Gpu("1", 16_000)]
        >>> [share.environment["CUDA_VISIBLE_DEVICES"] for share in shares(2, 1, two)]
        ['0', '1']
        >>> shares(4, 0.5, two)[3].gpu_memory
        7200
    """
    if gpus_per_trial is None:
        gpus_per_trial = _even(workers, len(there))
    if not there and not gpus_per_trial:
        return [Share()] * workers
    if gpus_per_trial == 0:
        return [Share({"CUDA_VISIBLE_DEVICES": "-1"})] * workers
    if gpus_per_trial >= 1:
        return _whole(workers, int(gpus_per_trial), there)
    return _parts(workers, gpus_per_trial, there)


def _even(workers: int, count: int) -> float:
    if count >= workers:
        return count // workers
    return float(Fraction(1, math.ceil(workers / count))) if count else 0


def _whole(workers: int, each: int, there: Sequence[Gpu]) -> list[Share]:
    if workers * each > len(there):
        raise ValueError(_too_few(workers, f"{each}", workers * each, len(there)))
    groups = [there[place * each : (place + 1) * each] for place in range(workers)]
    return [Share(_visible([gpu.name for gpu in group])) for group in groups]


def _parts(workers: int, part: float, there: Sequence[Gpu]) -> list[Share]:
    # A third three times is a whole one.
    sharing = math.floor(1 / part + 1e-9)
    needed = math.ceil(workers / sharing)
    if needed > len(there):
        raise ValueError(_too_few(workers, f"{part:g}", needed, len(there)))
    return [_part(there[place // sharing], part) for place in range(workers)]


def _part(gpu: Gpu, part: float) -> Share:
    environment = _visible([gpu.name])
    environment["XLA_PYTHON_CLIENT_MEM_FRACTION"] = f"{_USABLE * part:.3f}"
    memory = None if gpu.memory is None else int(gpu.memory * _USABLE * part)
    return Share(environment, memory)


def _visible(names: Sequence[str]) -> dict[str, str]:
    return {"CUDA_VISIBLE_DEVICES": ",".join(names)}


def _too_few(workers: int, each: str, needed: int, there: int) -> str:
    return (
        f"{workers} workers with gpus_per_trial={each} need {needed} GPUs, and there are {there}. "
        "Give Workers(...) fewer workers or a smaller part of a GPU, such as gpus_per_trial=0.5; "
        "gpus_per_trial=0 trains on the CPU."
    )


def limit_gpu_memory(mebibytes: int | None) -> None:
    """Keeps TensorFlow in this process within a part of its GPU's memory.

    Args:
        mebibytes: The part; None for no limit.
    """
    gpus = tensorflow_gpus()
    if mebibytes is None or not gpus:
        return
    import tensorflow as tf

    limit = tf.config.LogicalDeviceConfiguration(memory_limit=mebibytes)
    for gpu in gpus:
        tf.config.set_logical_device_configuration(gpu, [limit])
