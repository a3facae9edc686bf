"""K trials in one graph: the same losses as `model.fit`, a fraction of its time.

engine          builds the models of trials, groups them, trains the groups
fitting         what `model.fit` is asked to do
eligibility     what cannot be vectorized, and why
outcome         how it went, and what stays of it
signature       which models can share a program; `hoisted_scalars`: in which they may differ
program_cache   models that need not be built; `build_code`: where that is known
group           trains a group, epoch by epoch; `trial_slot`: one trial in it; `stack`: weights
learner         a step of one trial, as a function; `noise`: its random numbers
program         an epoch as one program; `tensorflow` (with `graphs`) and `jax` compile it,
                whichever `backend` takes
state_cache     states in which trainings ended, for trials that go on from them
interleave      trainings that share one thread of Python
"""

from kt_hpo.training.model_parts import CannotShareError
from kt_hpo.training.vectorized.eligibility import check_search
from kt_hpo.training.vectorized.engine import Engine
from kt_hpo.training.vectorized.outcome import Outcome, best_of

__all__ = ["CannotShareError", "Engine", "Outcome", "best_of", "check_search"]
