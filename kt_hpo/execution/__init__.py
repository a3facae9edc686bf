"""WHERE trials run."""

from __future__ import annotations

from kt_hpo.execution.executor import Executor, made
from kt_hpo.execution.inline import Inline
from kt_hpo.execution.vectorized import Vectorized

__all__ = ["Executor", "Inline", "Vectorized", "made"]
