"""Tells the results of the searches, in words, tables and pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib import pyplot as plt

from benchmarks import measuring
from benchmarks.pictures import BLUE, GRAY, ORANGE, axes, saved
from benchmarks.quality.libraries import LIBRARIES, OURS
from benchmarks.quality.problems import EVERY
from benchmarks.quality.run import fits, known
from benchmarks.quality.summary import POINTS, Known, Summary, summary

# What `kt-hpo search` does by itself: trainings pause where there are epochs to compare.
DEFAULTS = ("kt_hpo freeze-thaw", "kt_hpo GaussianProcessSearch")
ABOUT = """\
`python -m benchmarks.quality.run` makes the searches that are missing of 30 seeds, and keeps all in
`results/quality/`. A search has the epochs of 100 full trainings, 50 on learning curves; those
whose trainings end early make more of them. Regret is the share of the way from the best to the
worst configuration of a table that is left, by the mean over the table's seeds; what a search is
shown is one seed, of a training its best epoch. Ranks are among those of the same table, the mean
over the whole budget. The intervals are bootstraps over seeds. Blue is ours, what `kt-hpo search`
does by itself orange, the peers dashed. The tables of other kinds have categories, sequences, wrong
labels, schedules, layers that are there or not, and regressions; the two kept aside no search has
been tuned to, as they are searched at the end of a change alone (`--kept-aside`).

Our TPE and Optuna 5's are one algorithm: with Optuna's random numbers ours proposes the same trials
one after the other, until Optuna's proposes one again (`tests/benchmarks/test_task.py` checks it of
choices without order); ours tries no configuration twice. What a table shows between the two is
chance, and begins with the ten random trials that both begin with. How much chance there is, the
section after this shows: our TPE with 30 other seeds. Both problems of digits begin a seed with the
same ten trials, which the intervals know nothing of: they are rather too narrow.

Of the searches that stop trainings, pruning decides, and who proposes decides little: the intervals
of nearly all of them overlap. ASHA is sooner, for the median waits until five trainings have ended;
but where trials are counted and not epochs, the median lets about a quarter of 50 end, and ASHA a
tenth. Freeze-thaw search continues trainings by a model of their curves. On the four tables of
learning curves its interval of the mean rank overlaps no other's, and at a quarter of the budget it
has less regret than any peer at the end. Its second half finds little: who trains every
configuration and takes the best that is shown has a regret of 0.0033 there, by the noise of one
seed. On the six tables of other kinds its rank is first too, and no other interval reaches
its own; at a quarter of the budget it has less regret than Keras Tuner's Hyperband at the end, and
at half of it as much as Optuna's TPE with its best pruner, Hyperband; Ray's ASHA and Optuna's TPE
without a pruner end a little lower than that, and above where freeze-thaw ends.

Where there are no curves, the process of freeze-thaw search sees whole trainings
(`GaussianProcessSearch`). On HPOBench it is first, ahead of our TPE by more than chance, and of
Optuna's by little more; on networks of choices bayesian-optimization and it are level, and ahead of
TPE at the end. It thinks for hundredths of a second, bayesian-optimization for tenths.

"kt_hpo Gaussian process" is Keras Tuner's engine in ours. Keras Tuner's own is calculated with our
arithmetic, its proposals are its own; bayesian-optimization looks for its next point with ours,
which takes seconds less. Our engine on it asks for the expected improvement, the package for an
upper bound; what is between the two is chance. Of the pruned searches Hyperband goes on with
trainings, the others only stop them. Ray Tune's ASHA decides here without the actors that it would
train in. Left out is population-based training, for which a table has no curves."""


def section(results: dict[str, Any]) -> str:
    """Tells the results."""
    parts = [ABOUT]
    for group in dict.fromkeys(EVERY[name]().group for name in EVERY):
        problems = {n: EVERY[n]() for n in EVERY if EVERY[n]().group == group}
        parts += [
            f"### {group}",
            f"{', '.join(name.removeprefix(group).strip() for name in problems)}.",
        ]
        members = [n for n in LIBRARIES if all(fits(n, one) for one in problems.values())]
        made = {name: known(name) for name in members}
        budgets = {name: one.budget for name, one in problems.items()}
        tables = _tables(made, budgets)
        for number, found in enumerate(tables, start=1):
            parts += _told(found, f"{group} {number}")
        if not tables:
            parts.append("Not searched yet.")
    return "\n\n".join(parts)


def _tables(made: Known, budgets: Mapping[str, int]) -> list[Summary]:
    """One of the libraries that have made the most searches, one of all if others have fewer."""
    seeds = {
        name: min(len(searches.get(problem, ())) for problem in budgets)
        for name, searches in made.items()
    }
    groups = dict.fromkeys(
        tuple(name for name in made if seeds[name] >= least) for least in (max(seeds.values()), 1)
    )
    found = [summary({name: made[name] for name in names}, budgets) for names in groups]
    return [one for one in found if one is not None]


def _told(found: Summary, name: str) -> list[str]:
    default = _default(found)
    rows = [
        [
            f"**{found.libraries[i]}**" if found.libraries[i] == default else found.libraries[i],
            f"{found.rank_over_budget[i]:.2f}",
            "{:.2f} to {:.2f}".format(*found.rank_interval[i]),
            *(f"{found.regret_at(share)[i]:.5f}" for share in (0.25, 0.5, 1.0)),
            "{:.5f} to {:.5f}".format(*found.regret_interval[i]),
        ]
        for i in found.best_first()
    ]
    columns = {"search": "l", "mean rank": "r", "95 %": "r", "regret at a quarter": "r",
               "at half": "r", "at the end": "r", "95 % ": "r"}  # fmt: skip
    picture = _drawn(found, f"quality {name}".lower().replace(" ", "_"))
    about = f"{found.problems} problems, {found.seeds} seeds each."
    return [about, f"![]({picture})", measuring.markdown(columns, rows)]


def _default(found: Summary) -> str | None:
    return next((name for name in DEFAULTS if name in found.libraries), None)


def _drawn(found: Summary, name: str) -> str:
    default = _default(found)
    # High enough that the names beside the lines do not touch.
    height = max(4.2, 0.26 * len(found.libraries))
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, height))
    for place in reversed(found.best_first()):
        library = found.libraries[place]
        ours = library in OURS
        color = ORANGE if library == default else BLUE if ours else GRAY
        style = {"color": color, "linewidth": 2.2 if library == default else 1.0,
                 "linestyle": "-" if ours else "--"}  # fmt: skip
        left.plot(POINTS, found.regret[place], **style)
        right.plot(POINTS, found.rank[place], **style)
    axes(left, "Anytime normalized regret, mean", "share of the budget", "regret", log="y")
    axes(right, "Mean rank", "share of the budget", "rank")
    _name_ends(right, found)
    return saved(figure, name)


def _name_ends(ax: Any, found: Summary) -> None:
    """Writes each name beside the end of its line, in order, none upon another."""
    order = found.best_first()
    heights = np.linspace(*ax.get_ylim(), len(order))
    for place, height in zip(order, heights, strict=True):
        name = found.libraries[place]
        ax.annotate(
            name,
            (1.0, found.rank[place, -1]),
            (1.08, height),
            va="center",
            fontsize=7.5,
            fontweight="bold" if name == _default(found) else "normal",
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": "#BBBBBB",
                "linewidth": 0.6,
                "relpos": (0, 0.5),
            },
        )
