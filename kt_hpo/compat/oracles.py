"""The oracles of all engines."""

from __future__ import annotations

from kt_hpo.lazy_names import lazy_names
from kt_hpo.registry import ENGINES

# Old names of modules are within this one: `kt_hpo/moved_modules.py`.
__path__: list[str] = []

_HOMES = {
    **{engine.oracle: engine.module for engine in ENGINES if engine.has_oracle},
    "RecordedOracle": "kt_hpo.oracle.recorded",
    "recorded": "kt_hpo.oracle.adoption",
}

__all__ = sorted(_HOMES)
__getattr__ = lazy_names(__name__, _HOMES)


def __dir__() -> list[str]:
    return __all__
