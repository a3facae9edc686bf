"""Oracles that were written for plain Keras Tuner."""

from __future__ import annotations

import warnings
from importlib import import_module

import keras_tuner

from kt_hpo import objectives
from kt_hpo.oracle.recorded import RecordedOracle


def recorded(oracle: keras_tuner.Oracle) -> RecordedOracle:
    """Makes an oracle that was written for plain Keras Tuner a recorded one, in place.

    Args:
        oracle: Any Keras Tuner oracle. One of Keras Tuner's own becomes the engine built on it
            here; in a user's, the methods it overrides stay overridden.

    Returns:
        The same object.
    """
    if not isinstance(oracle, RecordedOracle):
        for name in objectives.contradictions(oracle.objective):
            warnings.warn(
                f"Keras Tuner's oracle has the objective {objectives.describe(oracle.objective)}, "
                f"though the name {name!r} says otherwise. Say what you want, "
                f'kt_hpo.Objective({name!r}, direction="max") or "min", or take the oracle from '
                "kt_hpo.oracles.",
                stacklevel=3,
            )
        kind = type(oracle)
        made = type(kind.__name__, (kind, RecordedOracle), {})
        oracle.__class__ = _engine_on(kind) or made
        oracle._start_recording(oracle.seed)
    return oracle


def _engine_on(kind: type[keras_tuner.Oracle]) -> type[RecordedOracle] | None:
    """The engine built on one of Keras Tuner's: found by name, as no engine is imported here."""
    engine = getattr(import_module("kt_hpo.oracles"), kind.__name__, RecordedOracle)
    return engine if kind in engine.__bases__ else None
