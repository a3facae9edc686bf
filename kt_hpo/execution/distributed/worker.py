"""A search in a worker: trial after trial, as the chief has them."""

from __future__ import annotations

import warnings
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_tuner import errors

from kt_hpo.execution.distributed.cluster_config import current_cluster
from kt_hpo.execution.distributed.messages import ChiefError, SearchOverError
from kt_hpo.execution.inline import Inline
from kt_hpo.oracle.recorded import RecordedOracle
from kt_hpo.record.record import Record
from kt_hpo.record.studies import open_study
from kt_hpo.startup import quiet_retracing

if TYPE_CHECKING:
    from kt_hpo.tuner import Tuner


def make_worker(tuner: Tuner, oracle: RecordedOracle, overwrite: bool = False) -> None:
    """Makes a tuner one of a worker: its oracle is the chief's.

    Args:
        tuner: A tuner in a process that Keras Tuner's environment variables make a worker.
        oracle: The oracle it would have if it searched alone.
        overwrite: Whether the chief begins the search anew.
    """
    # gRPC is imported by those who use it.
    from kt_hpo.execution.distributed.client import OracleClient

    cluster = current_cluster()
    assert cluster is not None
    tuner.oracle = OracleClient(oracle, cluster, overwrite)


def work(tuner: Tuner, fit_args: tuple[Any, ...], fit_kwargs: dict[str, Any]) -> None:
    """Runs trials until the chief has no more; the tuner has the results then.

    Args:
        tuner: A tuner of `make_worker`.
        fit_args: Positional arguments of `search`.
        fit_kwargs: Keyword arguments of `search`.

    Raises:
        FatalError: If every other trial would fail of the same mistake, the search has failed
            elsewhere, or there is no chief any more.
    """
    if isinstance(tuner.oracle, RecordedOracle):
        make_worker(tuner, tuner.oracle)  # Searching once more.
    client = tuner.oracle
    tuner.on_search_begin()
    try:
        with quiet_retracing():
            Inline().run(tuner, fit_args, fit_kwargs)
    except SearchOverError as over:
        print(over)
    except ChiefError:
        raise
    except errors.FatalError as error:
        with suppress(ChiefError):  # So it says to all workers.
            client.fail(error)
        raise
    finally:
        client.line.close()
    _show_results(tuner, client.alone)
    tuner.on_search_end()


def _show_results(tuner: Tuner, oracle: RecordedOracle) -> None:
    """Gives a tuner the oracle of a search that is over, as far as its record can be seen here."""
    try:
        if oracle.storage is None:
            oracle.look_into(Record(open_study(tuner.project_dir)))
        else:
            oracle.look_into(oracle.record)
    except FileNotFoundError:
        warnings.warn(
            f"The chief's record is not in {Path(tuner.project_dir).absolute()}: the folder is not "
            "shared with it. Results and models are to be had from the chief alone, and of trials "
            "that ran here no models.",
            UserWarning,
            stacklevel=4,
        )
    else:
        tuner.oracle = oracle
