"""The executor of the chief: it runs no trial, and answers those who do."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from kt_hpo.execution.distributed.role import IP, PORT, TUNER_ID, Role
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
        role: The role of this process.
    """

    def __init__(self, role: Role) -> None:
        self._role = role

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
        from kt_hpo.execution.distributed.desk import Desk
        from kt_hpo.execution.distributed.server import Server

        desk = Desk(tuner)
        server = Server(self._role.address)
        try:
            tuner.progress.note(f"Workers are answered at {self._role.address}.")
            seen, is_told = time.monotonic(), False
            while not desk.is_over:
                desk.serve(server.next(_BEAT))
                tuner.interruption.check()
                if desk.has_workers:
                    seen, is_told = time.monotonic(), False
                elif not is_told and time.monotonic() - seen > _LONELY:
                    is_told = True
                    tuner.progress.note(_no_worker(self._role))
        except (Exception, TimeIsUpError) as error:
            desk.close(error)
            last = time.monotonic() + _LAST
            while not desk.is_over and time.monotonic() < last:
                desk.serve(server.next(_BEAT))
            raise
        finally:
            server.close(_GRACE)

    def __repr__(self) -> str:
        return f"Chief({self._role.address!r})"


def _no_worker(role: Role) -> str:
    return (
        f"No worker is connected, so no trial runs. The chief goes on waiting at {role.address}. "
        f"To start a worker, run the same program with {IP}={role.ip} {PORT}={role.port} "
        f"{TUNER_ID}=tuner0. To stop, press Ctrl-C; the chief goes on when it is started again."
    )
