"""Which hyperparameters decided how good a trial was, and which cannot be told from chance."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from optuna.importance import PedAnovaImportanceEvaluator
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial

from kt_hpo.plots.importances import MIN_TRIALS, TARGET_QUANTILE, fixed
from kt_hpo.plots.search import Search

# With 19 shuffles chance alone gives a hyperparameter more than all of them in one of 20 searches.
SHUFFLES = 19


@dataclass(frozen=True)
class Influence:
    """How much a hyperparameter decided.

    Attributes:
        name: Its name in the record.
        share: Its share of what all of them decide, from 0 to 1.
        mattered: Whether that is more than chance gives.
    """

    name: str
    share: float
    mattered: bool


def influences(search: Search, objective: int = 0) -> list[Influence]:
    """Measures how much each hyperparameter decided whether a trial was among the best quarter.

    PED-ANOVA (Watanabe et al., 2023). One mattered if its importance is above that in every one of
    `SHUFFLES` copies of the search whose scores were dealt out to the trials at random.

    Args:
        search: The search.
        objective: Which of its objectives.

    Returns:
        The hyperparameters that could have had another value, the most important first; none
        where the trials are too few or all equally good.

    Example:
        >>> import optuna
        >>> sampler = optuna.samplers.RandomSampler(seed=0)
        >>> study = optuna.create_study(sampler=sampler)
        >>> def loss(trial):
        ...     return trial.suggest_float("x", 0, 1) + 0 * trial.suggest_float("y", 0, 1)
        >>> study.optimize(loss, n_trials=60)
        >>> [(one.name, one.mattered) for one in influences(Search.of(study))]
        [('x', True), ('y', False)]
    """
    finished = search.finished()
    sign = -1.0 if search.study.directions[objective] == StudyDirection.MAXIMIZE else 1.0
    losses = np.array([sign * trial.values[objective] for trial in finished])
    if len(finished) < MIN_TRIALS or len(np.unique(losses)) < 2:
        return []
    numbers = [trial.number for trial in finished]
    found = _importances(search, numbers, losses)
    total = sum(found.values())
    if total <= 0:
        return []
    stream = np.random.default_rng(0)
    shuffled = [_importances(search, numbers, stream.permutation(losses)) for _ in range(SHUFFLES)]
    chance = {name: max(copy[name] for copy in shuffled) for name in found}
    return [
        Influence(name, value / total, value > chance[name])
        for name, value in sorted(found.items(), key=lambda item: -item[1])
    ]


def _importances(search: Search, numbers: list[int], losses: np.ndarray) -> dict[str, float]:
    with warnings.catch_warnings():
        # Optuna warns that rare values tell little.
        warnings.simplefilter("ignore")
        found = PedAnovaImportanceEvaluator(target_quantile=TARGET_QUANTILE).evaluate(
            search.study, target=_looked_up(dict(zip(numbers, losses.tolist(), strict=True)))
        )
    unable = fixed(search)
    return {name: value for name, value in found.items() if name not in unable}


def _looked_up(losses: dict[int, float]) -> Callable[[FrozenTrial], float]:
    # Not finite, hence left out: a trial that is not among the finished ones.
    return lambda trial: losses.get(trial.number, np.inf)
