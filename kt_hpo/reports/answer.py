"""The answer of a search: its best trial, how far to trust it, and what is as good."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from kt_hpo.constraints import keeps
from kt_hpo.formatting import count, duration, number
from kt_hpo.plots import style
from kt_hpo.plots.search import Search, continued, place_of
from kt_hpo.record.best import best_so_far, level
from kt_hpo.record.clock import seconds, started
from kt_hpo.record.tables import best_epoch, objective_names
from kt_hpo.reports import words
from kt_hpo.reports.source import rebuilding
from kt_hpo.reports.uncertainty import Uncertainty, uncertainty
from kt_hpo.reports.words import value_in_words
from kt_hpo.space import domain
from kt_hpo.space.continuation import own_values
from kt_hpo.space.hyperparameters import HyperParameters
from kt_hpo.space.names import short_names

# Of fewer trials nothing can be said of how the search went.
_FEWEST = 10
MANY_FAILED = 0.2


@dataclass(frozen=True)
class BestTrialAnswer:
    """The best trial.

    Attributes:
        trial: The trial.
        score: Its objective, in words.
        uncertainty: How far to trust that.
        values: Its values by the names of hyperparameters.
        facts: What else is known of it, name and words.
        remarks: Sentences on how it compares with the others.
        code: The program that builds its model again.
    """

    trial: FrozenTrial
    score: str
    uncertainty: Uncertainty
    values: dict[str, Any]
    facts: list[tuple[str, str]]
    remarks: list[str]
    code: str


def answer(
    search: Search, known: HyperParameters | None, weights: Mapping[str, float] | None = None
) -> BestTrialAnswer | None:
    """Puts the answer together.

    Args:
        search: The search.
        known: Its space, if that is recorded.
        weights: How much each hyperparameter counts for which trials are alike.

    Returns:
        The answer; None where no trial has been completed that keeps the constraints.

    Example:
        >>> import optuna
        >>> study = optuna.create_study()
        >>> study.add_trial(optuna.create_trial(value=0.25))
        >>> answer(Search.of(study), None).score
        '0.25'
    """
    trial = search.best()
    if trial is None:
        return None
    values = values_of(trial, known)
    named = short_names(values)
    trust = uncertainty(search, trial, weights)
    made_by = search.study.user_attrs.get("made_by", {})
    epoch = best_epoch(trial)
    return BestTrialAnswer(
        trial=trial,
        score=number(search.value(trial)),
        uncertainty=trust,
        values={named[name]: value for name, value in values.items()},
        facts=_facts(search, trial),
        remarks=_remarks(search, trial, trust),
        code=rebuilding(values, made_by.get("hypermodel"), None if epoch is None else epoch + 1),
    )


def values_of(trial: FrozenTrial, known: HyperParameters | None) -> dict[str, Any]:
    """Gives the values a trial's model is built with.

    Args:
        trial: The trial.
        known: The search space, if that is recorded.

    Returns:
        Values by the names of hyperparameters; without a space, by those of the record.
    """
    rest = trial.user_attrs.get("values", {})
    values = trial.params if known is None else domain.from_params(known, trial.params, rest).values
    return own_values(values)


def headline(search: Search) -> str:
    """Says how many trials there were, how they ended and how long they took.

    Args:
        search: The search.

    Returns:
        A sentence without its full stop.

    Example:
        >>> import optuna
        >>> headline(Search.of(optuna.create_study()))
        'No trial has been begun yet'
    """
    if not search.trials:
        return "No trial has been begun yet"
    states = Counter(style.WORDS.get(trial.state, "waiting") for trial in search.trials)
    parts = ", ".join(f"{amount:,} {state}" for state, amount in states.most_common())
    text = count(len(search.trials), "trial")
    begun_anew = [trial for trial in search.trials if place_of(trial).get("trial_id") is None]
    if len(begun_anew) < len(search.trials):
        text += f", parts of {count(len(begun_anew), 'training')}"
    text += f": {parts}"
    starts = [begun for trial in search.trials if (begun := started(trial))]
    ends = [trial.datetime_complete for trial in search.trials if trial.datetime_complete]
    if not starts or not ends:
        return text
    spent = sum(seconds(trial) or 0.0 for trial in search.trials)
    days = dict.fromkeys(f"{day.day} {day:%B %Y}" for day in (min(starts), max(ends)))
    return f"{text}; {duration(spent)} of training, {' to '.join(days)}"


def why_none(search: Search) -> str:
    """Says why there is no best trial.

    Args:
        search: The search.

    Returns:
        A sentence.
    """
    if not search.trials:
        return "No trial has been begun yet, so there is nothing to tell."
    if any(not keeps(trial.constraints) for trial in search.finished()):
        return "No completed trial keeps the constraints."
    failed = len(search.with_state(TrialState.FAIL))
    if failed == len(search.trials):
        return f"All trials failed ({failed:,}). Their errors are below."
    return "No trial has been completed with a finite score."


def further(search: Search, trust: Uncertainty | None) -> list[str]:
    """Says whether to search on, by how the search went.

    Args:
        search: The search.
        trust: How far to trust the score of its best trial; None if there is none.

    Returns:
        Sentences.

    Example:
        >>> import optuna
        >>> study = optuna.create_study()
        >>> study.add_trials([optuna.create_trial(value=float(-n)) for n in range(10)])
        >>> further(Search.of(study), None)
        ['The last of 10 completed trials is the best.']
    """
    ended = [trial for trial in search.trials if trial.state.is_finished()]
    said = _progress(search, None if trust is None else trust.spread)
    failed = len(search.with_state(TrialState.FAIL))
    if ended and failed > MANY_FAILED * len(ended):
        said.append(
            f"{failed / len(ended):.0%} of the trials failed: their errors, below, are the first "
            "thing to look at."
        )
    return said


def _progress(search: Search, spread: float | None) -> list[str]:
    """How long ago the best was found, and what the last third of the trials has gained.

    Nothing where later trials go on from earlier ones: they are better for having trained longer.
    """
    finished = [trial for trial in search.finished() if keeps(trial.constraints)]
    bests = best_so_far(search.study, finished).values()
    if search.n_objectives > 1 or len(bests) < _FEWEST or any(map(place_of, finished)):
        return []
    scores = [search.value(trial) for trial in bests]
    score, last = scores[-1], len(scores) // 3
    ties = sum(search.value(trial) == score for trial in finished)
    after = len(scores) - 1 - scores.index(score)
    of_all = f"{len(scores):,} completed trials"
    ago = f"{count(after, 'completed trial')} ago" if after else "by the last of them"
    if ties > 1:
        fact = f"{ties:,} of {of_all} have the best {search.label}, {number(score)}, first {ago}"
    elif after:
        fact = f"The best of {of_all} was found {ago}"
    else:
        fact = f"The last of {of_all} is the best"
    said = [f"{fact}{_gained(abs(score - scores[-1 - last]), last, spread)}."]
    if ties > 1:
        said.append(
            f"Their {search.label} cannot tell these {ties:,} apart: an objective with finer "
            "steps can, such as a loss."
        )
    return said


def _gained(gain: float, last: int, spread: float | None) -> str:
    """What the last trials have improved the best by."""
    if not gain:
        return f"; the last {last:,} have not improved it"
    if spread is None:
        return ""
    gained = f"; the last {last:,} have improved it by {number(gain)}"
    if gain > spread:
        return f"{gained}, more than the uncertainty of {words.spread(spread)}: search on"
    return f"{gained}, which the uncertainty of {words.spread(spread)} may explain"


def _facts(search: Search, trial: FrozenTrial) -> list[tuple[str, str]]:
    attributes = trial.user_attrs
    names = objective_names(search.study)
    metrics = attributes.get("metrics", {})
    facts = [
        (name, number(value))
        for name, value in zip(names[1:], (trial.values or [])[1:], strict=False)
    ]
    facts += [
        (n, value_in_words(v))
        for n, v in metrics.items()
        if n not in names and n != "multi_objective"
    ]
    if (epoch := best_epoch(trial)) is not None:
        facts.append(("best epoch", str(epoch + 1)))
    if attributes.get("parameters") and "parameters" not in names:
        facts.append(("parameters", f"{attributes['parameters']:,}"))
    taken = seconds(trial)
    if taken:
        facts.append(("time", duration(taken)))
    return facts


def _remarks(search: Search, trial: FrozenTrial, trust: Uncertainty) -> list[str]:
    finished, passed = search.finished(), continued(search.trials)
    last = [other for other in finished if other.number not in passed]
    if len(last) < 2:
        return []
    those = "completed trials"
    if len(last) < len(finished):
        those = "trainings, each as far as it went,"
    middle = number(median(map(search.value, last)))
    said = [f"The median of the {len(last):,} {those} is {middle}."]
    if search.n_objectives == 1:
        said[0] += (
            " The best of several looks a little better than it is: chance helped to choose it."
        )
    if trust.spread is not None:
        said += _as_good(search, trial, trust.spread)
    elif same := level(search.study, search.objective):
        said.append(same)
    return said


def _as_good(search: Search, trial: FrozenTrial, spread: float) -> list[str]:
    """What lies within the uncertainty, and is smaller."""
    score, passed = search.value(trial), continued(search.trials)
    others = [
        other
        for other in search.finished()
        if other.number not in {trial.number, *passed}
        and abs(search.value(other) - score) <= spread
        and keeps(other.constraints)
    ]
    if not others:
        return ["No other trial lies within that uncertainty."]
    verb = "lies" if len(others) == 1 else "lie"
    text = f"{count(len(others), 'other trial')} {verb} within that uncertainty."
    sized = [other for other in others if other.user_attrs.get("parameters")]
    smallest = min(sized, key=lambda other: other.user_attrs["parameters"], default=None)
    own = trial.user_attrs.get("parameters")
    if smallest is not None and own and smallest.user_attrs["parameters"] < 0.8 * own:
        text += (
            f" Of these trial {smallest.number} has the smallest model: "
            f"{smallest.user_attrs['parameters']:,} parameters rather than {own:,}, for "
            f"{number(search.value(smallest))}."
        )
    return [text]
