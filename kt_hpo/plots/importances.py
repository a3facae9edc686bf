"""Which hyperparameters mattered."""

from __future__ import annotations

import warnings
from typing import Any, Literal

import numpy as np
import optuna
from matplotlib.axes import Axes
from optuna.importance import (
    BaseImportanceEvaluator,
    FanovaImportanceEvaluator,
    PedAnovaImportanceEvaluator,
)

from kt_hpo.plots import style, text
from kt_hpo.plots.scale import Scale, scales
from kt_hpo.plots.search import Search
from kt_hpo.record import quiet_optuna

METHODS = ("ped_anova", "fanova")
MAX_BARS = 10
# With fewer the ranking is a guess: the true first of 9 came first in 1 of 12 random searches
# of 5 trials, 8 of 12 with 20 trials, 12 of 12 with 50.
MIN_TRIALS = 10
# In the same searches the best quarter ranked better than Optuna's default, the best tenth (6 of
# 12 with 50 trials); fANOVA ranked as well and took 11 s, not 0.03 s, for 1,000 trials.
TARGET_QUANTILE = 0.25
# fANOVA takes 5 s for so many trials and 13 to 15 s for 1,000. In three random searches of 1,000
# the first was the same either way, and the shares differed by 0.1 at most.
MAX_FANOVA_TRIALS = 500


@style.styled()
def plot_importances(
    tuner_or_study: Any,
    ax: Axes | None = None,
    *,
    method: Literal["ped_anova", "fanova"] = "ped_anova",
) -> Axes:
    """Plot how much each hyperparameter decided over the objective.

    PED-ANOVA (Watanabe et al., 2023) asks what made a trial one of the best quarter; Optuna's form
    of it takes hyperparameters that only some trials have. fANOVA (Hutter et al., 2014) asks what
    the objective varies with over the whole space, its bad parts too; it knows only hyperparameters
    that all trials have, and is computed from 500 trials, evenly taken, where there are more. The
    bars are shares of the sum; the ten longest are shown. What had but one possible value could
    decide nothing, and is left out.

    Args:
        tuner_or_study: A tuner, or an `optuna.Study`.
        ax: `matplotlib.axes.Axes` or None. Where to draw; a new figure if None.
        method: String, `"ped_anova"` or `"fanova"`.

    Returns:
        The `matplotlib.axes.Axes`.

    Raises:
        TypeError: If the first argument is neither a tuner nor a study.
        ValueError: If the method is another.

    Example:
        >>> import optuna
        >>> study = optuna.create_study()
        >>> study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=12)
        >>> plot_importances(study).get_yticklabels()[0].get_text()
        'x'
    """
    if method not in METHODS:
        raise ValueError(f"method={method!r} is not allowed; give 'ped_anova' or 'fanova'.")
    search, ax = Search.of(tuner_or_study), style.axes_of(ax)
    style.dress(ax, "Importances", f"share of what decides {search.label}", grid=None)
    if reason := _why_not(search):
        return style.say(ax, reason)
    importances = _importances(search, method)
    if not importances:
        return style.say(ax, "No hyperparameter made a difference yet.")
    _draw_bars(ax, importances, "fANOVA" if method == "fanova" else "")
    return ax


def by_importance(search: Search) -> list[Scale]:
    """Return the scales of the hyperparameters, the most important first.

    Args:
        search: The `Search`.

    Returns:
        List of `Scale`; in the order the trials met them where nothing tells which is important.

    Example:
        >>> study = optuna.create_study()
        >>> study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=12)
        >>> [scale.name for scale in by_importance(Search.of(study))]
        ['x']
    """
    known = scales(search)
    ranked = {} if _why_not(search) else _importances(search, "ped_anova")
    ordered = [known[name] for name in ranked if name in known]
    return ordered + [scale for name, scale in known.items() if name not in ranked]


def fixed(search: Search) -> set[str]:
    """Return the names of the hyperparameters that had but one possible value.

    Args:
        search: The `Search`.

    Returns:
        Set of strings.

    Example:
        >>> study = optuna.create_study()
        >>> study.optimize(lambda trial: trial.suggest_int("x", 3, 3), n_trials=2)
        >>> fixed(Search.of(study))
        {'x'}
    """
    values: dict[str, set[Any]] = {}
    free: set[str] = set()
    for trial in search.finished():
        for name, distribution in trial.distributions.items():
            values.setdefault(name, set()).add(trial.params[name])
            if not distribution.single():
                free.add(name)
    return {name for name, found in values.items() if len(found) == 1} - free


def _why_not(search: Search) -> str:
    """Return why these trials cannot tell, or an empty string."""
    finished = search.finished()
    if len(finished) < MIN_TRIALS:
        return f"Importances need {MIN_TRIALS} complete trials; there are {len(finished)}."
    if not any(trial.params for trial in finished):
        return "The trials have no hyperparameters."
    if len({search.value(trial) for trial in finished}) == 1:
        return "All trials reached the same value."
    return ""


def _importances(search: Search, method: str) -> dict[str, float]:
    """Return each hyperparameter's share, the largest first; none where all are zero."""
    evaluator: BaseImportanceEvaluator = PedAnovaImportanceEvaluator(
        target_quantile=TARGET_QUANTILE
    )
    study = search.study
    if method == "fanova":
        evaluator, study = FanovaImportanceEvaluator(seed=0), _study_of_some(search)
    sign = -1.0 if search.maximize else 1.0
    with warnings.catch_warnings():
        # Optuna warns that a target is minimised (so the sign) and that rare values tell little.
        warnings.simplefilter("ignore")
        found = evaluator.evaluate(study, target=lambda trial: sign * search.value(trial))
    unable = fixed(search)
    importances = {name: value for name, value in found.items() if name not in unable}
    total = sum(importances.values())
    return {name: value / total for name, value in importances.items()} if total > 0 else {}


def _study_of_some(search: Search) -> optuna.Study:
    """Return a study in memory of the finished trials, of an even part of them if they are many."""
    finished = search.finished()
    picked = np.linspace(0, len(finished) - 1, min(len(finished), MAX_FANOVA_TRIALS)).astype(int)
    with quiet_optuna():
        study = optuna.create_study(directions=search.study.directions)
    study.add_trials(finished[index] for index in picked)
    return study


def _draw_bars(ax: Axes, importances: dict[str, float], aside: str) -> None:
    """Draw the longest bars, the largest on top, each with its percentage."""
    names, shares = list(importances)[:MAX_BARS], list(importances.values())[:MAX_BARS]
    bars = ax.barh(range(len(names)), shares, height=0.62, color=style.BLUE)
    percents = [text.percent(share) for share in shares]
    ax.bar_label(bars, percents, padding=4, fontsize=style.SMALL, color=style.ink(ax))
    ax.set_yticks(range(len(names)), [text.shorten(name) for name in names])
    # A few bars keep their width, rather than fill the page.
    ax.set_ylim(max(len(names), 5) - 0.4, -0.6)
    ax.set(xticks=[], xlim=(0, 1.12 * max(shares)))
    ax.spines["bottom"].set_visible(False)
    ax.tick_params(axis="y", length=0)
    others = len(importances) - len(names)
    rest = f"{others} others {text.percent(max(1 - sum(shares), 0.0))}" if others else ""
    style.finish(ax, ", ".join(filter(None, [rest, aside])))
