"""WHERE trials run."""

from __future__ import annotations

from kt_hpo.execution.dispatcher import Assignment, Dispatcher
from kt_hpo.execution.executor import Executor, made
from kt_hpo.execution.inline import Inline
from kt_hpo.execution.ray.executor import Ray
from kt_hpo.execution.trial import run_trial
from kt_hpo.execution.vectorized import Vectorized
from kt_hpo.execution.workers import Workers

__all__ = [
    "Assignment",
    "Dispatcher",
    "Executor",
    "Inline",
    "Ray",
    "Vectorized",
    "Workers",
    "made",
    "run_trial",
]
