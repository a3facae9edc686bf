"""WHERE trials run.

executor.py      how a user names it; one file an executor: inline, vectorized, workers, ray/
search.py        a search, from its beginning to its end in front of the user
dispatcher.py    hands out the trials, hears how they go, and ends them
trial_run.py     what becomes of a trial that runs
trial.py         one trial, run in whichever process it is given to
messages.py      what a process that runs trials and that of the search say to each other
remote.py        the objects of a search, as a process that runs trials has them
processes/       processes of this machine    } how they are
distributed/     Keras Tuner's workers        } reached
ray/             Ray Tune                     }
"""

from __future__ import annotations

from kt_hpo.execution.dispatcher import Assignment, Dispatcher
from kt_hpo.execution.executor import Executor, InProcess, make_executor
from kt_hpo.execution.inline import Inline
from kt_hpo.execution.ray.executor import Ray
from kt_hpo.execution.trial import run_trial
from kt_hpo.execution.vectorized import Vectorized
from kt_hpo.execution.workers import Workers

__all__ = [
    "Assignment",
    "Dispatcher",
    "Executor",
    "InProcess",
    "Inline",
    "Ray",
    "Vectorized",
    "Workers",
    "make_executor",
    "run_trial",
]
