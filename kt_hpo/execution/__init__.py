"""WHERE trials run."""

from __future__ import annotations

from kt_hpo.execution.executor import Executor, made
from kt_hpo.execution.inline import Inline
from kt_hpo.execution.ray.executor import Ray
from kt_hpo.execution.vectorized import Vectorized
from kt_hpo.execution.workers import Workers

__all__ = ["Executor", "Inline", "Ray", "Vectorized", "Workers", "made"]
