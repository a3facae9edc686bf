"""Which hyperparameters mattered."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from kt_hpo.arguments import is_one_of
from kt_hpo.plots import style, text
from kt_hpo.plots.influences import METHODS, Influence, Method, influences, why_none
from kt_hpo.plots.scale import Scale, scales
from kt_hpo.plots.search import Search

MAX_BARS = 10


@style.styled()
def plot_importances(
    tuner_or_study: Any,
    ax: Axes | None = None,
    *,
    method: Method = "fanova",
) -> Axes:
    """Plot how much each hyperparameter decided over the objective.

    fANOVA (Hutter et al., 2014) asks what the objective varies with over the whole space, wherever
    the search has tried most. PED-ANOVA (Watanabe et al., 2023) asks what made a trial one of the
    best quarter of those there are. Pruned trials count by how they compared with the others at
    equal epochs, failed ones as the worst. The bars are shares of the sum; the ten longest are
    shown, and what chance alone may give is gray. Nothing is shown where nothing can be told from
    chance. What had but one possible value could decide nothing, and is left out.

    Args:
        tuner_or_study: A tuner, or an `optuna.Study`.
        ax: `matplotlib.axes.Axes` or None. Where to draw; a new figure if None.
        method: String, `"fanova"` or `"ped_anova"`.

    Returns:
        The `matplotlib.axes.Axes`.

    Raises:
        TypeError: If the first argument is neither a tuner nor a study.
        ValueError: If the method is another.

    Example:
        >>> import optuna
        >>> study = optuna.create_study()
        >>> study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=40)
        >>> plot_importances(study).get_yticklabels()[0].get_text()
        'x'
    """
    if not is_one_of(method, METHODS):
        raise ValueError(f"method={method!r} is not allowed; give 'ped_anova' or 'fanova'.")
    search, ax = Search.of(tuner_or_study), style.axes_of(ax)
    style.dress(ax, "Importances", f"share of what decides {search.label}", grid=None)
    found = influences(search, method=method)
    if not found:
        return style.say(ax, why_none(search))
    _draw_bars(ax, found, "fANOVA" if method == "fanova" else "PED-ANOVA")
    return ax


def by_importance(search: Search) -> list[Scale]:
    """Return the scales of the hyperparameters, the most important first.

    Args:
        search: The `Search`.

    Returns:
        List of `Scale`; in the order the trials met them where nothing tells which is important.

    Example:
        >>> import optuna
        >>> study = optuna.create_study()
        >>> study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=40)
        >>> [scale.name for scale in by_importance(Search.of(study))]
        ['x']
    """
    known = scales(search)
    ranked = [one.name for one in influences(search)]
    ordered = [known[name] for name in ranked if name in known]
    return ordered + [scale for name, scale in known.items() if name not in ranked]


def say_left_out(search: Search, count: int, noun: str = "") -> str:
    """Say how many hyperparameters a figure leaves out: the less important, where that is known.

    Args:
        search: The `Search`.
        count: Integer. How many there are; nothing is said of none.
        noun: String. What they are called.

    Returns:
        String. The words.

    Example:
        >>> import optuna
        >>> say_left_out(Search.of(optuna.create_study()), 2)
        '2 left out'
    """
    if not count:
        return ""
    known = "less important" if influences(search) else ""
    return " ".join(filter(None, [str(count), known, noun, "left out"]))


def _draw_bars(ax: Axes, found: list[Influence], aside: str) -> None:
    """Draw the longest bars, the largest on top, each with its percentage."""
    shown = found[:MAX_BARS]
    names, shares = [one.short_name for one in shown], [one.share for one in shown]
    colors = [style.accent(ax) if one.mattered else style.GRAY for one in shown]
    bars = ax.barh(range(len(names)), shares, height=0.62, color=colors)
    percents = [text.percent(share) for share in shares]
    ax.bar_label(bars, percents, padding=4, fontsize=style.SMALL, color=style.ink(ax))
    ax.set_yticks(range(len(names)), [text.shorten(name) for name in names])
    # A few bars keep their width, rather than fill the page.
    ax.set_ylim(max(len(names), 5) - 0.4, -0.6)
    ax.set(xticks=[], xlim=(0, 1.12 * max(shares)))
    ax.spines["bottom"].set_visible(False)
    ax.tick_params(axis="y", length=0)
    if not all(one.mattered for one in shown):
        ax.add_patch(Rectangle((0, 0), 0, 0, color=style.GRAY, label="not told from chance"))
    others = len(found) - len(names)
    noun = "other" if others == 1 else "others"
    rest = f"{others} {noun} {text.percent(max(1 - sum(shares), 0.0))}" if others else ""
    style.finish(ax, ", ".join(filter(None, [rest, aside])))
