"""What runs the trials of a search, and how a user names it."""

from __future__ import annotations

from typing import Any, Protocol

import keras

from kt_hpo.arguments import is_whole
from kt_hpo.execution.context import ExecutionContext
from kt_hpo.execution.distributed import Chief, ClusterConfig, current_cluster
from kt_hpo.execution.inline import Inline
from kt_hpo.execution.processes.devices import gpus
from kt_hpo.execution.vectorized import Vectorized
from kt_hpo.execution.workers import Workers


class Executor(Protocol):
    """Runs the trials of a search."""

    def run(
        self, tuner: ExecutionContext, fit_args: tuple[Any, ...], fit_kwargs: dict[str, Any]
    ) -> None:
        """Runs trials until the oracle has no more.

        Args:
            tuner: The tuner.
            fit_args: Positional arguments of `search`.
            fit_kwargs: Keyword arguments of `search`.
        """


# On TensorFlow so many trials of one architecture train faster in one graph than one by one, each
# in a graph of its own; on a CPU, if they have no more parameters than these.
_FEWEST, _LARGEST = 4, 2**17
# How many trials at once are measured to pay, and how many show whether they are alike: of eight
# trials of two architectures, four have one.
_MOST, _FIRST = 32, 8


class InProcess:
    """Runs the trials of a search in this process, as fast as they can without being others.

    Trials that are alike train together, in one graph; the first eight show whether there are such.
    All others train one after the other. An engine that learns is asked for one trial at a time.

    What decides is the same for the same seed: a choice by measured seconds would give other
    results on a busy machine.
    """

    def run(
        self, tuner: ExecutionContext, fit_args: tuple[Any, ...], fit_kwargs: dict[str, Any]
    ) -> None:
        """Runs trials until the oracle has no more.

        Args:
            tuner: The tuner.
            fit_args: Positional arguments of `search`.
            fit_kwargs: Keyword arguments of `search`.
        """
        vectorized = _where_it_pays(_MOST)
        shows_epochs = fit_kwargs.get("verbose") == 2
        by_fit = tuner.fits_its_own_way or not tuner.training.compiled or shows_epochs
        learns = tuner.oracle.learns_from_trials
        if by_fit or learns or vectorized.obstacle(tuner) is not None:
            Inline().run(tuner, fit_args, fit_kwargs)
        else:
            vectorized.run_if_alike(tuner, fit_args, fit_kwargs, _FIRST)

    def __repr__(self) -> str:
        return "InProcess()"


class Auto:
    """Chooses the fastest way to run the trials of a search, and says which and why."""

    def run(
        self, tuner: ExecutionContext, fit_args: tuple[Any, ...], fit_kwargs: dict[str, Any]
    ) -> None:
        """Runs trials until the oracle has no more, and says how and why.

        Args:
            tuner: The tuner.
            fit_args: Positional arguments of `search`.
            fit_kwargs: Keyword arguments of `search`.
        """
        # Adaptive algorithms lose information with parallelism: measured, TPE from 8 on.
        k = 4 if tuner.oracle.learns_from_trials else _MOST
        on_tensorflow = keras.backend.backend() == "tensorflow"
        vectorized = _where_it_pays(k) if on_tensorflow else Vectorized(k)
        reason = vectorized.obstacle(tuner)
        if reason is None:
            tuner.progress.note(vectorized.in_words)
            vectorized.run(tuner, fit_args, fit_kwargs)
        elif (count := len(gpus())) > 1:
            tuner.progress.note(f"{count} trials train at once, each on a GPU of its own.")
            Workers(count, gpus_per_trial=1).run(tuner, fit_args, fit_kwargs)
        else:
            tuner.progress.note(f"Trials train one after the other, because {reason}.")
            Inline().run(tuner, fit_args, fit_kwargs)

    def __repr__(self) -> str:
        return "'auto'"


def _where_it_pays(k: int) -> Vectorized:
    """Trains trials together only where that is faster than each in a graph of its own."""
    return Vectorized(k, _FEWEST, None if gpus() else _LARGEST)


def make_executor(executor: Executor | int | str | None) -> Executor:
    """Makes the executor that a user named.

    Args:
        executor: An executor, a number of worker processes, `"auto"`, or None for the fastest way
            in this process.

    Returns:
        The executor.

    Raises:
        ValueError: If there is none of that name, the number is below 1, or Keras Tuner's
            environment variables say otherwise.

    Example:
        >>> make_executor(None), make_executor(4)
        (InProcess(), Workers(4))
    """
    cluster = current_cluster()
    if cluster is not None:
        return _of_cluster(cluster, executor)
    if executor is None:
        return InProcess()
    if isinstance(executor, str) and executor == "auto":
        return Auto()
    if is_whole(executor):
        return Workers(int(executor))  # type: ignore[arg-type]
    if not hasattr(executor, "run"):
        raise ValueError(
            f"executor={executor!r} is not allowed; give Inline(), Workers(4) or just 4, "
            'Vectorized(), Ray(4), or "auto".'
        )
    return executor  # type: ignore[return-value]


def _of_cluster(cluster: ClusterConfig, executor: Any) -> Executor:
    """The executor of a process that Keras Tuner's environment variables make a chief or worker."""
    if executor is not None:
        raise ValueError(
            f"executor={executor!r} and KERASTUNER_ORACLE_IP both say where trials run. Leave "
            "executor out, or unset the variable."
        )
    return Chief(cluster) if cluster.is_chief else Inline()
