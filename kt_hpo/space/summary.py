"""A search space as a table, for a terminal and for a notebook."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

import keras_tuner
from keras_tuner.engine.hyperparameters import HyperParameter

from kt_hpo.formatting import short
from kt_hpo.space.continuation import is_reserved
from kt_hpo.space.kinds import Fixed, corrected, in_words
from kt_hpo.space.names import condition_in_words

_CELL = 'style="text-align:left;padding:0.1em 1em 0.1em 0"'


def as_text(space: keras_tuner.HyperParameters) -> str:
    """Writes a space in columns.

    Args:
        space: The search space.

    Returns:
        A line a hyperparameter: its name and kind as Keras Tuner writes them, its values, its
        default, and the condition it is under.

    Example:
        >>> hp = keras_tuner.HyperParameters()
        >>> hp.Int("layers", 1, 3)
        1
        >>> print(as_text(hp))
        layers (Int)  from 1 to 3  default 1
    """
    rows = [
        (f"{one.name} ({kind})", values, f"default {short(one.default)}", condition)
        for one, kind, values, condition in _described(space)
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    cells = ([cell.ljust(width) for cell, width in zip(r, widths, strict=True)] for r in rows)
    return "\n".join("  ".join(row).rstrip() for row in cells)


def as_html(space: keras_tuner.HyperParameters) -> str:
    """Writes a space as a table for a notebook.

    Args:
        space: The search space, or the values of a trial.

    Returns:
        HTML in the notebook's own colors: a row a hyperparameter, with its value where it has one;
        the rows of those that have none beside these values are quiet.

    Example:
        >>> hp = keras_tuner.HyperParameters()
        >>> hp.Boolean("<b>")
        False
        >>> "<td" in as_html(hp) and "&lt;b&gt;" in as_html(hp)
        True
    """
    rows: list[tuple[Sequence[str], str]] = []
    for one, kind, values, condition in _described(space):
        is_active = one.name in space.values and space.is_active(one)
        value = short(space.values[one.name]) if is_active else ""
        words = (one.name, value, kind, values, condition and f"if {condition}")
        rows.append((words, "" if is_active else "opacity:0.5"))
    # Values of no hyperparameter of the space, such as those that a program has set.
    known = {one.name for one in space.space}
    others = {n: v for n, v in space.values.items() if n not in known and not is_reserved(n)}
    rows += [((name, short(value), "", "", ""), "") for name, value in others.items()]
    if not rows:
        return "<div>A search space without hyperparameters.</div>"
    titles = ("hyperparameter", "value", "kind", "values", "asked for")
    width = len(titles) if any(words[-1] for words, _ in rows) else len(titles) - 1
    head = "".join(f"<th {_CELL}>{title}</th>" for title in titles[:width])
    body = "".join(_row(words[:width], style) for words, style in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _row(words: Sequence[str], style: str) -> str:
    name, value, *rest = map(escape, words)
    cells = [name, f"<b>{value}</b>", *rest]
    return f'<tr style="{style}">{"".join(f"<td {_CELL}>{cell}</td>" for cell in cells)}</tr>'


def _described(
    space: keras_tuner.HyperParameters,
) -> Iterator[tuple[HyperParameter, str, str, str]]:
    """Each hyperparameter with its kind, its values and its conditions in words."""
    for one in space.space:
        kind = type(one).__name__
        said = in_words(corrected(one)).removeprefix(kind).strip().removeprefix("of ")
        values = "True or False" if kind == "Boolean" else said
        conditions = [condition_in_words(each.name, each.values) for each in one.conditions]
        yield one, kind, _value_of(one) or values, " and ".join(conditions)


def _value_of(one: Any) -> str:
    return short(one.value) if isinstance(corrected(one), Fixed) else ""
