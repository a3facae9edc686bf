"""The executor of the chief: it runs no trial, and answers those who do."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from kt_hpo.execution.distributed.cluster_config import IP, PORT, TUNER_ID, ClusterConfig
from kt_hpo.training.interruption import TimeIsUpError

if TYPE_CHECKING:
    from kt_hpo.tuner import Tuner

# Seconds to wait for something to happen, for the last answers to arrive, and for workers that are
# in the midst of an epoch when the search ends.
_BEAT, _GRACE, _LAST = 0.2, 5.0, 30.0
# Seconds without a worker after which the user is told.
_LONELY = 60.0


class Chief:
    """Has workers, in processes anywhere, run the trials of a search, as Keras Tuner's chief does.

    Not to be made by hand: `KERASTUNER_TUNER_ID=chief` makes it the executor of a process.

    Args:
        cluster: The cluster of this process.
    """

    def __init__(self, cluster: ClusterConfig) -> None:
        self._cluster = cluster

    def run(self, tuner: Tuner, fit_args: tuple[Any, ...], fit_kwargs: dict[str, Any]) -> None:
        """Answers workers until the oracle has no more trials, and all of them know.

        Args:
            tuner: The tuner.
            fit_args: Not used: the workers have the same program, and their own data.
            fit_kwargs: Likewise.

        Raises:
            ValueError: If the chief cannot listen where it shall.
            FatalError: If every other trial would fail of the same mistake.
            RuntimeError: If too many trials failed in a row.
        """
        # gRPC is imported by those who use it.
        from kt_hpo.execution.distributed.dispatcher import Dispatcher
        from kt_hpo.execution.distributed.server import Server

        dispatcher = Dispatcher(tuner)
        server = Server(self._cluster.address)
        try:
            tuner.progress.note(f"Workers are answered at {self._cluster.address}.")
            seen, is_told = time.monotonic(), False
            while not dispatcher.is_over:
                dispatcher.serve(server.next(_BEAT))
                tuner.interruption.check()
                if dispatcher.has_workers:
                    seen, is_told = time.monotonic(), False
                elif not is_told and time.monotonic() - seen > _LONELY:
                    is_told = True
                    tuner.progress.note(_no_worker(self._cluster))
        except (Exception, TimeIsUpError) as error:
            dispatcher.close(error)
            last = time.monotonic() + _LAST
            while not dispatcher.is_over and time.monotonic() < last:
                dispatcher.serve(server.next(_BEAT))
            raise
        finally:
            server.close(_GRACE)

    def __repr__(self) -> str:
        return f"Chief({self._cluster.address!r})"


def _no_worker(cluster: ClusterConfig) -> str:
    return (
        f"No worker is connected, so no trial runs. The chief keeps waiting at {cluster.address}. "
        f"To start a worker, run the same program with {IP}={cluster.ip} {PORT}={cluster.port} "
        f"{TUNER_ID}=tuner0. To stop, press Ctrl-C; the chief goes on when it is started again."
    )
