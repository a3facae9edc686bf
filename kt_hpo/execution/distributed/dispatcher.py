"""Where the chief answers its workers: who is there, who runs what, and what the oracle says."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from keras_tuner import errors
from keras_tuner.engine.trial import Trial, TrialStatus

from kt_hpo.execution.distributed.messages import (
    ChiefError,
    NameTakenError,
    SearchOverError,
    TrialLostError,
    error_of,
)
from kt_hpo.execution.distributed.server import ARRIVE, LEAVE, Request
from kt_hpo.execution.trial import end
from kt_hpo.record.journal import RecordError
from kt_hpo.training.interruption import TimeIsUpError

if TYPE_CHECKING:
    from kt_hpo.tuner import Tuner

# Methods of the oracle that a worker may call, and those only whoever runs the trial.
OPEN = frozenset(
    {
        "annotations",
        "best_reported",
        "get_best_trials",
        "get_space",
        "get_trial",
        "is_stopped",
        "may_be_continued",
        "meet",
        "update_space",
        "why_none_is_best",
    }
)
OWN = frozenset({"annotate", "update_trial"})


class Dispatcher:
    """Answers workers one after the other.

    Args:
        tuner: The tuner of the chief.
    """

    def __init__(self, tuner: Tuner) -> None:
        self._tuner = tuner
        self._oracle = tuner.oracle
        # The connection of each worker that is there, and those who know that there is no more.
        self._present: dict[str, int] = {}
        self._dismissed: set[str] = set()
        self._places: dict[str, int] = {}
        self._closed: ChiefError | None = None
        self._decides: dict[str, Callable[..., Any]] = {
            "create_trial": self._create_trial,
            "end_trial": self._end_trial,
            "fail": self._fail,
        }
        self._answers: dict[str, Callable[..., Any]] = {
            "report": self._report,
            "seed": lambda tuner_id: self._oracle.seed,
        }

    @property
    def is_over(self) -> bool:
        """Whether there are no more trials, and every worker that is there has been told."""
        return bool(self._dismissed or self._closed) and self._dismissed >= self._present.keys()

    @property
    def has_workers(self) -> bool:
        """Whether any worker is there."""
        return bool(self._present)

    def close(self, error: BaseException) -> ChiefError:
        """Has all workers end from now on.

        Args:
            error: Why the search ends here.

        Returns:
            What they are told.
        """
        if isinstance(error, TimeIsUpError):
            self._closed = SearchOverError("The time of the search is up.")
        else:
            self._closed = ChiefError(f"The search has ended: {error or type(error).__name__}")
        return self._closed

    def serve(self, request: Request | None) -> None:
        """Answers a worker.

        Args:
            request: What it wants; nothing is done if there is none, or it has given up.

        Raises:
            Exception: What ends the search. What was only asked wrongly ends nothing.
        """
        if request is None or not request.begin():
            return
        try:
            request.answer(self._answer(request))
        except (ChiefError, NameTakenError, TrialLostError) as refused:
            request.refuse(refused)
        except Exception as error:
            asks = request.connection is None and request.method not in self._decides
            if isinstance(error, RecordError) or not asks:
                self._end_search(request, error)
                raise
            request.refuse(error)
        except BaseException as error:
            self._end_search(request, error)
            raise

    def _answer(self, request: Request) -> Any:
        name, arguments, keywords = request.method, request.arguments, request.keywords
        if request.connection is not None:
            comes_or_goes = {ARRIVE: self._arrive, LEAVE: self._leave}[name]
            return comes_or_goes(request.tuner_id, request.connection)
        if self._closed is not None:
            self._dismissed.add(request.tuner_id)
            raise self._closed
        if name in OWN:
            self._check_own(request.tuner_id, arguments[0] if arguments else keywords["trial_id"])
        if name in OWN | OPEN:
            return getattr(self._oracle, name)(*arguments, **keywords)
        answer = self._decides.get(name) or self._answers.get(name)
        if answer is None:
            raise ValueError(f"{name!r} is nothing to ask for.")
        return answer(request.tuner_id, *arguments, **keywords)

    def _end_search(self, request: Request, error: BaseException) -> None:
        self._dismissed.add(request.tuner_id)
        request.refuse(self.close(error))

    def _arrive(self, tuner_id: str, connection: int) -> None:
        if tuner_id in self._present:
            raise NameTakenError(
                f"There is a worker {tuner_id!r} already. Give each its own KERASTUNER_TUNER_ID."
            )
        self._present[tuner_id] = connection
        self._dismissed.discard(tuner_id)
        self._places.setdefault(tuner_id, len(self._places) + 1)
        self._show(tuner_id, None)
        self._tuner.progress.note(f"Worker {tuner_id} is there.")

    def _leave(self, tuner_id: str, connection: int) -> None:
        if self._present.get(tuner_id) != connection:
            return
        del self._present[tuner_id]
        trial = self._oracle.ongoing_trials.get(tuner_id)
        if trial is not None and self._closed is None:
            trial.status = TrialStatus.INVALID
            trial.message = f"The worker {tuner_id} is gone: killed, crashed, or cut off."
            self._end(tuner_id, trial)

    def _create_trial(self, tuner_id: str) -> Trial:
        idle = Trial(self._oracle.get_space(), trial_id="", status=TrialStatus.IDLE)
        if tuner_id not in self._present:
            return idle  # Its connection broke; it will come again.
        is_new = tuner_id not in self._oracle.ongoing_trials
        trial = self._oracle.create_trial(tuner_id)
        if trial.status == TrialStatus.STOPPED:
            if self._oracle.ongoing_trials:
                return idle  # One of them may fail, to be tried again.
            self._dismissed.add(tuner_id)
        elif trial.status == TrialStatus.RUNNING and is_new:
            number = int(trial.trial_id)
            self._oracle.start_clock(trial.trial_id)
            self._tuner.progress.trial_started(number, trial.hyperparameters.values)
            self._show(tuner_id, number)
            self._oracle.annotate(trial.trial_id, worker=self._places[tuner_id])
        return trial

    def _report(self, tuner_id: str, trial_id: str, epoch: int, metrics: dict[str, float]) -> bool:
        self._check_own(tuner_id, trial_id)
        return self._tuner.report(self._oracle.get_trial(trial_id), epoch, metrics)

    def _end_trial(self, tuner_id: str, trial: Trial) -> None:
        self._check_own(tuner_id, trial.trial_id)
        self._end(tuner_id, trial)

    def _end(self, tuner_id: str, trial: Trial) -> None:
        self._show(tuner_id, None)
        end(self._tuner, trial, self._tuner.record_end)

    def _fail(self, tuner_id: str, kind: str, words: str) -> None:
        error = error_of(kind, words)
        raise error if isinstance(error, errors.FatalError) else errors.FatalError(words)

    def _check_own(self, tuner_id: str, trial_id: str) -> None:
        running = self._oracle.ongoing_trials.get(tuner_id)
        if running is None or running.trial_id != trial_id:
            raise TrialLostError(f"Trial {trial_id} is not, or no longer, {tuner_id}'s.")

    def _show(self, tuner_id: str, number: int | None) -> None:
        self._tuner.progress.worker(self._places[tuner_id], number)
