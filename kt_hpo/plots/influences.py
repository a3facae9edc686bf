"""Which hyperparameters decided how good a trial was, and which cannot be told from chance."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias

import numpy as np
import optuna
from optuna.importance import PedAnovaImportanceEvaluator
from optuna.trial import FrozenTrial
from sklearn.ensemble import RandomForestRegressor

from kt_hpo.plots.equal_epochs import losses
from kt_hpo.plots.scale import Scale
from kt_hpo.plots.search import Search
from kt_hpo.record.record import quiet_optuna

Method: TypeAlias = Literal["fanova", "ped_anova"]
METHODS: tuple[Method, ...] = ("fanova", "ped_anova")
# With fewer the ranking is a guess: the true first of 9 came first in 1 of 12 random searches
# of 5 trials, 8 of 12 with 20 trials, 12 of 12 with 50.
MIN_TRIALS = 10
# More say little more and take longer: an even part of them is taken.
MAX_TRIALS = 500
# With so many copies chance alone beats all of them in one of 20 searches.
COPIES = 20
TREES, LEAF = 10, 2
POINTS = 256
# An integer of so many values at most is drawn as one of them, of more as any number.
FEW = 20
# Losses beyond so many times the distance from the best to the upper quartile are as bad as that.
FENCE = 10.0
# In random searches the best quarter ranked better than Optuna's default, the best tenth.
TARGET_QUANTILE = 0.25


@dataclass(frozen=True)
class Influence:
    """How much a hyperparameter decided.

    Attributes:
        name: Its name in the record.
        share: Its share of what all of them decide, from 0 to 1.
        mattered: Whether that is more than chance gives.
        short_name: What it is called in a figure.
    """

    name: str
    share: float
    mattered: bool
    short_name: str = ""


def influences(search: Search, objective: int = 0, method: Method = "fanova") -> list[Influence]:
    """Measures how much each hyperparameter decided over an objective.

    Pruned and failed trials count, see `kt_hpo.plots.equal_epochs.losses`.

    `"fanova"`: a random forest learns the loss f from the trials, so that it does not matter where
    an engine has sampled, and the importance of a hyperparameter is what f varies with it, alone
    or together with others, over the whole space: functional ANOVA (Hutter, Hoos and Leyton-Brown,
    2014) decomposes the variance into V = sum of V_U over sets U of hyperparameters, and here

        T_i = sum of V_U over all U with i in U = E[(f(A) - f(A with x_i of B))^2] / 2,

    with A and B drawn uniformly from the space (Jansen, 1999). Values of a hyperparameter that a
    trial did not have are drawn anew for every forest, as nothing depends on them. Every forest
    sees a shuffled copy of each hyperparameter, too (Kursa and Rudnicki, 2010). The mean
    importance of the copies is what chance gives: it is taken off. A hyperparameter mattered if it
    has more than every copy of any of them in `COPIES` forests, so that in one of 20 searches
    chance alone makes one of them matter, however many there are.

    `"ped_anova"` (Watanabe, Bansal and Hutter, 2023) asks what made a trial one of the best
    quarter: the Pearson divergence between the densities of these and of all trials. What the
    engine has sampled only where it is good cannot show there. Chance is what copies of the search
    give whose losses are dealt out to the trials at random.

    Args:
        search: The search.
        objective: Which of its objectives.
        method: `"fanova"` or `"ped_anova"`.

    Returns:
        The hyperparameters that could have had another value, the most important first; none
        where the trials are too few, all equally good, or nothing mattered more than chance.

    Example:
        >>> sampler = optuna.samplers.RandomSampler(seed=0)
        >>> study = optuna.create_study(sampler=sampler)
        >>> def loss(trial):
        ...     return trial.suggest_float("x", 0, 1) + 0 * trial.suggest_float("y", 0, 1)
        >>> study.optimize(loss, n_trials=60)
        >>> [(one.name, one.mattered) for one in influences(Search.of(study))]
        [('x', True), ('y', False)]
    """
    trials, values = _evidence(search, objective)
    if len(trials) < MIN_TRIALS or len(set(values)) < 2:
        return []
    free = [scale for scale in _scales(trials) if not scale.single]
    if not free:
        return []
    found, chance, most = (
        _by_forests(tuple(map(_places, free)), tuple(_units(s, trials) for s in free), values)
        if method == "fanova"
        else _by_densities(free, trials, values)
    )
    mattered = [value > bound for value, bound in zip(found, most, strict=True)]
    if not any(mattered):
        return []
    above = np.maximum(np.array(found) - np.array(chance), 0)
    shares = above / above.sum()
    every = [
        Influence(scale.name, float(share), bool(matters), search.short_name(scale.name))
        for scale, share, matters in zip(free, shares, mattered, strict=True)
    ]
    return sorted(every, key=lambda one: (not one.mattered, -one.share))


def why_none(search: Search, objective: int = 0) -> str:
    """Says why there are no influences.

    Args:
        search: The search.
        objective: Which of its objectives.

    Returns:
        A sentence.

    Example:
        >>> why_none(Search.of(optuna.create_study()))
        'Importances need 10 trials with a score; there are 0.'
    """
    trials, values = _evidence(search, objective)
    if len(trials) < MIN_TRIALS:
        return f"Importances need {MIN_TRIALS} trials with a score; there are {len(trials)}."
    if not any(trial.params for trial in trials):
        return "The trials have no hyperparameters."
    if len(set(values)) == 1:
        return "All trials reached the same value."
    return f"Nothing made a difference that {len(trials)} trials can tell from chance."


def _evidence(search: Search, objective: int) -> tuple[list[FrozenTrial], tuple[float, ...]]:
    """Return an even part of the trials that count, with their losses."""
    known = losses(search, objective)
    numbers = list(known)
    if len(numbers) > MAX_TRIALS:
        numbers = [numbers[i] for i in np.linspace(0, len(numbers) - 1, MAX_TRIALS).astype(int)]
    picked = set(numbers)
    trials = [trial for trial in search.trials if trial.number in picked]
    return trials, tuple(known[trial.number] for trial in trials)


def _scales(trials: Sequence[FrozenTrial]) -> list[Scale]:
    """Return the scale of each hyperparameter, over all the ranges it has had."""
    kinds: dict[str, list[optuna.distributions.BaseDistribution]] = {}
    for trial in trials:
        for name, kind in trial.distributions.items():
            known = kinds.setdefault(name, [])
            if kind not in known:
                known.append(kind)
    return [Scale.of(name, known) for name, known in kinds.items()]


def _units(scale: Scale, trials: Sequence[FrozenTrial]) -> tuple[float, ...]:
    """Return where the trials lie in the range, NaN for those that do not have it."""
    return tuple(scale.unit(scale.numbers(trials)).tolist())


def _places(scale: Scale) -> tuple[float, ...]:
    """Return where in its range values may lie if they are few, else nothing: anywhere."""
    if scale.choices:
        return tuple(scale.unit(np.arange(float(len(scale.choices)))).tolist())
    if scale.whole and not scale.log and scale.high - scale.low < FEW:
        return tuple(scale.unit(np.arange(scale.low, scale.high + 1)).tolist())
    return ()


@lru_cache(maxsize=16)
def _by_forests(
    places: tuple[tuple[float, ...], ...],
    columns: tuple[tuple[float, ...], ...],
    values: tuple[float, ...],
) -> tuple[list[float], list[float], list[float]]:
    """Return the importances, the mean of chance, and what chance gives at most."""
    stream = np.random.default_rng(0)
    seen, loss = np.array(columns).T, np.array(values)
    low, upper = loss.min(), np.quantile(loss, 0.75)
    loss = np.minimum(loss, upper + FENCE * (upper - low)) if upper > low else loss
    count = len(columns)
    found, copies = [], []
    for _ in range(COPIES):
        whole = np.where(np.isnan(seen), _drawn(places, len(loss), stream), seen)
        features = np.hstack([whole, stream.permuted(whole, axis=0)])
        forest = RandomForestRegressor(
            TREES, min_samples_leaf=LEAF, random_state=int(stream.integers(2**31))
        )
        forest.fit(features, loss)
        one, other = (
            np.hstack([_drawn(places, POINTS, stream) for _ in range(2)]) for _ in range(2)
        )
        changed = np.repeat(one[None], 2 * count, axis=0)
        for index in range(2 * count):
            changed[index, :, index] = other[:, index]
        all_points = np.concatenate([one[None], changed]).reshape(-1, 2 * count)
        predicted = forest.predict(all_points).reshape(-1, POINTS)
        effects = ((predicted[1:] - predicted[0]) ** 2).mean(axis=1) / 2
        found.append(effects[:count])
        copies.append(effects[count:])
    chance, most = float(np.mean(copies)), float(np.max(copies))
    return np.mean(found, axis=0).tolist(), [chance] * count, [most] * count


def _drawn(
    places: Sequence[Sequence[float]], count: int, stream: np.random.Generator
) -> np.ndarray:
    """Draw points of the space, uniformly on the scales it is searched on."""
    drawn = [stream.choice(few, count) if few else stream.uniform(size=count) for few in places]
    return np.stack(drawn, axis=1)


def _by_densities(
    scales: Sequence[Scale], trials: Sequence[FrozenTrial], values: Sequence[float]
) -> tuple[list[float], list[float], list[float]]:
    """Return the importances, and of each what chance gives in the mean and at most."""
    stream = np.random.default_rng(0)
    with quiet_optuna(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Optuna warns that rare values tell little.
        found = _divergences(scales, trials, values)
        copies = np.array(
            [_divergences(scales, trials, stream.permutation(values)) for _ in range(COPIES)]
        )
    chance = np.maximum(copies.mean(axis=0), 1e-12)
    return found, chance.tolist(), (chance * (copies / chance).max()).tolist()


def _divergences(
    scales: Sequence[Scale], trials: Sequence[FrozenTrial], values: Sequence[float] | np.ndarray
) -> list[float]:
    study = optuna.create_study()
    study.add_trials(
        optuna.trial.create_trial(
            value=float(value), params=trial.params, distributions=trial.distributions
        )
        for trial, value in zip(trials, values, strict=True)
    )
    found = PedAnovaImportanceEvaluator(target_quantile=TARGET_QUANTILE).evaluate(study)
    return [found.get(scale.name, 0.0) for scale in scales]
