"""What hyperparameters and their conditions are called for a reader: short, and told apart."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

# `model=[cnn|mlp]/units`, as scopes have named them, and `units [model=cnn|mlp]`, as Optuna's
# record tells equal names of several scopes apart.
_BEFORE = re.compile(r"^((?:[^/]+=\[[^\]]*\]/)+)(.+)$")
_BEHIND = re.compile(r"^(.+) \[([^\]]*=[^\]]*)\]$")
_SCOPE = re.compile(r"([^/]+)=\[([^\]]*)\]/")


def short_names(recorded: Iterable[str]) -> dict[str, str]:
    """Gives hyperparameters the names that their users gave them.

    Args:
        recorded: Their names in the record.

    Returns:
        A name for each of these: its own, without the condition it is under; with it where two
        hyperparameters have the same own name.

    Example:
        >>> list(short_names(["layers=[3|4|5]/units", "rate"]).values())
        ['units', 'rate']
        >>> list(short_names(["kind=[cnn]/units", "kind=[mlp]/units"]).values())
        ['units (kind = cnn)', 'units (kind = mlp)']
    """
    recorded = list(dict.fromkeys(recorded))
    parts = {name: _parts(name) for name in recorded}
    counts = Counter(own for own, _ in parts.values())
    named = {}
    for name, (own, conditions) in parts.items():
        apart = counts[own] > 1 and conditions
        named[name] = f"{own} ({', '.join(conditions)})" if apart else own
    # Two that even conditions do not tell apart keep the names of the record.
    twice = {name for name, count in Counter(named.values()).items() if count > 1}
    return {name: name if short in twice else short for name, short in named.items()}


def _parts(name: str) -> tuple[str, list[str]]:
    """A hyperparameter's own name and its conditions in words."""
    if before := _BEFORE.match(name):
        scopes = _SCOPE.findall(before[1])
        return before[2], [condition_in_words(one, given.split("|")) for one, given in scopes]
    if behind := _BEHIND.match(name):
        scopes = [scope.partition("=") for scope in behind[2].split(", ")]
        return behind[1], [condition_in_words(one, given.split("|")) for one, _, given in scopes]
    return name, []


def condition_in_words(parent: str, values: Sequence[Any]) -> str:
    """Writes under which values of another hyperparameter one is asked for.

    Args:
        parent: The name of the other one.
        values: Its values.

    Returns:
        Few words.

    Example:
        >>> condition_in_words("layers", [2, 3, 4]), condition_in_words("kind", ["a", "b", "c"])
        ('layers = 2 to 4', 'kind = a, b or c')
    """
    return f"{parent} = {values_in_words(values)}"


def values_in_words(values: Sequence[Any]) -> str:
    """Lists the values of a condition.

    Args:
        values: At least one.

    Returns:
        A range where whole numbers follow each other, else all of them.

    Example:
        >>> values_in_words([1, 2, 3, 4]), values_in_words([1, 2, 8])
        ('1 to 4', '1, 2 or 8')
    """
    words = [str(value) for value in values]
    whole = [int(word) for word in words if re.fullmatch(r"-?\d+", word)]
    if len(whole) == len(words) > 2 and whole == [*range(whole[0], whole[0] + len(whole))]:
        return f"{whole[0]} to {whole[-1]}"
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
