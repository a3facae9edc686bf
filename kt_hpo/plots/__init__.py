"""Figures of a search, drawn with matplotlib. `kt_hpo/registry.py` names them."""

from __future__ import annotations

from kt_hpo.lazy_names import lazy_names
from kt_hpo.registry import PLOTS

_HOMES = {name: f"kt_hpo.plots.{file}" for name, file in PLOTS.items()}

__all__ = sorted(_HOMES)
__getattr__ = lazy_names(__name__, _HOMES)


def __dir__() -> list[str]:
    return __all__
