"""A search whose trials do what a test tells them to."""

import os

import kt_hpo


class Square(kt_hpo.RandomSearch):
    """A search without models, in which trials may be told to fail."""

    def __init__(self, directory, executor=2, **kwargs):
        kwargs = {"max_trials": 6, "seed": 0, "project_name": "square"} | kwargs
        super().__init__(directory=directory, executor=executor, **kwargs)

    def run_trial(self, trial, faults=None):
        value = trial.hyperparameters.Float("x", -1, 1)
        self.annotate(trial, pid=os.getpid())
        fault = (faults or {}).get(trial.trial_id)
        if fault is not None:
            fault()
        return value**2


def states(tuner):
    return [trial.state.name for trial in tuner.study.trials]
