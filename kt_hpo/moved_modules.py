"""Modules that the documentation of version 0.1 named, where programs import them from."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from kt_hpo.registry import ENGINES

_ORACLES = [engine.file for engine in ENGINES if engine.has_oracle]
_TUNERS = [engine.file for engine in ENGINES]
# Packages of then and of today, and what is in both.
_PACKAGES: tuple[tuple[str, str, Sequence[str]], ...] = (
    ("kt_hpo", "kt_hpo.record", ("journal", "provenance", "studies", "tables")),
    ("kt_hpo", "kt_hpo.space", ("hyperparameters", "scopes")),
    ("kt_hpo", "kt_hpo.integrations", ("exports", "imports")),
    ("kt_hpo.oracles", "kt_hpo.engines", _ORACLES),
    ("kt_hpo.oracles", "kt_hpo.engines.proposals", ("samplers",)),
    ("kt_hpo.oracles", "kt_hpo.oracle", ("adoption", "locking", "state")),
    ("kt_hpo.tuners", "kt_hpo.engines", _TUNERS),
    ("kt_hpo.ray", "kt_hpo.integrations.ray_tune", ("models", "recorder", "space", "trainables")),
    ("kt_hpo.sklearn", "kt_hpo.integrations.sklearn", ("estimators", "grids")),
    ("kt_hpo.wandb", "kt_hpo.integrations.wandb", ("imported", "sweeps")),
)
MOVED = {f"{old}.{name}": f"{new}.{name}" for old, new, names in _PACKAGES for name in names} | {
    "kt_hpo.dashboard": "kt_hpo.integrations.optuna_dashboard",
    "kt_hpo.imports.search": "kt_hpo.integrations.imports",
}
"""Modules of today by their old names."""


class MovedModules(MetaPathFinder, Loader):
    """Finds modules by their old names: each gives what the module of today has.

    Example:
        >>> from kt_hpo.journal import RecordError
        >>> RecordError.__module__
        'kt_hpo.record.journal'
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Finds a module; where no other finder has found one."""
        return ModuleSpec(fullname, self, is_package=True) if fullname in MOVED else None

    def create_module(self, spec: ModuleSpec) -> None:
        """Leaves the making to Python."""

    def exec_module(self, module: ModuleType) -> None:
        """Has the module ask that of today for every name."""
        vars(module)["__getattr__"] = partial(getattr, import_module(MOVED[module.__name__]))
