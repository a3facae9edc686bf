"""Recorded searches that reports are written of, ordinary and degenerate ones."""

import math
from datetime import datetime, timedelta

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

X = FloatDistribution(0, 1)
KINDS = {
    "rate": FloatDistribution(1e-5, 1e-1, log=True),
    "units": IntDistribution(8, 512),
    "optimizer": CategoricalDistribution(["adam", "sgd"]),
    "dropout": FloatDistribution(0, 0.5),
}


def study_of(trials, names=None, **directions):
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(study_name="demo", **directions)
    if names:
        study.set_metric_names(names)
    study.add_trials(trials)
    return study


def searched(count=60, epochs=5, seed=0):
    """The learning rate decides, the best at 1e-3; dropout does nothing; a tenth fails."""
    random = np.random.default_rng(seed)
    trials = []
    for number in range(count):
        params = {
            "rate": float(10 ** random.uniform(-5, -1)),
            "units": int(random.integers(8, 513)),
            "optimizer": ["adam", "sgd"][random.integers(2)],
            "dropout": float(random.uniform(0, 0.5)),
        }
        value = 0.95 - 0.05 * abs(math.log10(params["rate"]) + 3) + random.normal() * 0.003
        state = {0: TrialState.FAIL, 1: TrialState.PRUNED}.get(number % 10, TrialState.COMPLETE)
        curve = [float(value - 0.3 * 0.5**epoch) for epoch in range(epochs)]
        metrics = {"val_accuracy": float(value), "val_loss": float(1 - value)}
        attributes = {"parameters": params["units"] * 100, "metrics": metrics, "best_epoch": 4}
        if state == TrialState.FAIL:
            attributes = {"traceback": f"Traceback\n  line\nValueError: error {number % 3}"}
        trial = create_trial(
            state=state,
            value=float(value) if state == TrialState.COMPLETE else None,
            params=params,
            distributions=KINDS,
            intermediate_values={} if state == TrialState.FAIL else dict(enumerate(curve)),
            user_attrs=attributes,
        )
        trial.datetime_start = datetime(2026, 1, 1) + timedelta(minutes=number)
        trial.datetime_complete = trial.datetime_start + timedelta(seconds=30)
        trials.append(trial)
    return study_of(trials, ["val_accuracy"], direction="maximize")


def trial(value=None, state=TrialState.COMPLETE, x=0.5, **more):
    return create_trial(state=state, value=value, params={"x": x}, distributions={"x": X}, **more)


def pairs(count, names=None):
    trials = [create_trial(values=[i / count, (i - 3) ** 2.0]) for i in range(count)]
    return study_of(trials, names, directions=["maximize", "minimize"])


DEGENERATE = {
    "empty": lambda: study_of([]),
    "one": lambda: study_of([trial(1.0)]),
    "no hyperparameters": lambda: study_of([create_trial(value=float(i)) for i in range(20)]),
    "failed": lambda: study_of([trial(state=TrialState.FAIL)] * 3),
    "failed with tracebacks": lambda: study_of(
        [trial(state=TrialState.FAIL, user_attrs={"traceback": "ValueError: no"})] * 3
    ),
    "running": lambda: study_of([trial(state=TrialState.RUNNING), trial(1.0)]),
    "waiting": lambda: study_of([create_trial(state=TrialState.WAITING)]),
    "pruned": lambda: study_of([trial(state=TrialState.PRUNED, intermediate_values={0: 1.0})] * 2),
    "curves beyond the axis": lambda: study_of(
        [trial(0.9 + i / 200, intermediate_values={0: 0.9, 1: 0.9 + i / 200}) for i in range(12)]
        + [trial(state=TrialState.PRUNED, intermediate_values={0: -9.0, 1: -9.5})] * 2,
        direction="maximize",
    ),
    "constant": lambda: study_of([trial(0.5, x=i / 20) for i in range(20)]),
    "infinite": lambda: study_of([trial(math.inf, intermediate_values={0: math.nan})] * 12),
    "huge": lambda: study_of([trial(1e308), trial(-1e308), trial(1.0)]),
    "tiny": lambda: study_of([trial(1e-300), trial(1e-10)] * 10),
    "two objectives": lambda: pairs(20, ["gain", "cost"]),
    "two objectives without names": lambda: pairs(3),
    "three objectives, one infinite": lambda: study_of(
        [create_trial(values=[1.0, math.inf, float(i)]) for i in range(12)],
        directions=["maximize", "minimize", "minimize"],
    ),
    "constraints broken": lambda: study_of(
        [trial(1.0, system_attrs={"constraints:small": 2.0}) for _ in range(12)]
    ),
}
