"""Everyone who trains given values: our executors, the peers, a loop by hand, the graph alone."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import keras_tuner
import optuna

import kt_hpo
from benchmarks import measuring
from benchmarks.cases import Case
from benchmarks.listed import Listed
from kt_hpo.optional import require
from kt_hpo.space import domain
from kt_hpo.training.vectorized import engine

Values = dict[str, Any]
Scores = list[float]


def with_keras_tuner(case: Case, values: list[Values]) -> Scores:
    """Keras Tuner."""
    return _searched(case, keras_tuner.Tuner, values)


def inline(case: Case, values: list[Values]) -> Scores:
    """Ours, one trial after the other."""
    return _searched(case, kt_hpo.Tuner, values, early_stopping=None)


def workers(case: Case, values: list[Values], n: int = 2) -> Scores:
    """Ours, in processes, their start included."""
    return _searched(case, kt_hpo.Tuner, values, executor=kt_hpo.Workers(n), early_stopping=None)


def on_ray(case: Case, values: list[Values], n: int = 2) -> Scores:
    """Ours, in processes of Ray's, their start included, and Ray's own where it is not there."""
    return _searched(case, kt_hpo.Tuner, values, executor=kt_hpo.Ray(n), early_stopping=None)


def vectorized(case: Case, values: list[Values], k: int = 64) -> Scores:
    """Ours, many in one graph."""
    executor = kt_hpo.Vectorized(k=k)
    scores = _searched(case, kt_hpo.Tuner, values, executor=executor, early_stopping=None)
    if executor.notes:
        raise RuntimeError(f"not all trials were vectorized: {executor.notes}")
    return scores


def _searched(case: Case, kind: Any, values: list[Values], **options: Any) -> Scores:
    data, fit = case.fit()
    with tempfile.TemporaryDirectory() as folder:
        tuner = kind(Listed(values), case.build, directory=folder, **options)
        tuner.search(*data, **fit)
        trials = sorted(tuner.oracle.trials.values(), key=lambda trial: trial.trial_id)
        return [trial.score for trial in trials]


def by_hand(case: Case, values: list[Values]) -> Scores:
    """A loop around `model.fit`."""
    data, fit = case.fit()
    scores = []
    for each in values:
        keras.utils.clear_session()
        history = case.model(each).fit(*data, **fit)
        scores.append(max(history.history["val_accuracy"]))
    return scores


def with_optuna(case: Case, values: list[Values]) -> Scores:
    """Optuna's `study.optimize` with its callback for Keras."""
    from optuna_integration import TFKerasPruningCallback

    data, fit = case.fit()
    distributions = {hp.name: domain.to_distribution(hp) for hp in case.space.space}

    def objective(trial: optuna.Trial) -> float:
        keras.utils.clear_session()
        for name, distribution in distributions.items():
            trial._suggest(name, distribution)
        callback = TFKerasPruningCallback(trial, "val_accuracy")
        history = case.model(trial.params).fit(*data, callbacks=[callback], **fit)
        return max(history.history["val_accuracy"])

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(direction="maximize", pruner=optuna.pruners.NopPruner())
    for each in values:
        study.enqueue_trial(each)
    study.optimize(objective, n_trials=len(values))
    return [trial.value for trial in study.trials]


def with_ray(case: Case, values: list[Values]) -> Scores:
    """Ray Tune: a function that reports each epoch, a core a trial, its start included."""
    ray, tune = require("ray", "ray"), require("ray.tune", "ray")

    def train(config: Values, data: Any, fit: Any) -> None:
        report = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: tune.report(logs))
        case.model(config["values"]).fit(*data, callbacks=[report], **fit)

    data, fit = case.fit()
    with tempfile.TemporaryDirectory() as folder:
        starts = not ray.is_initialized()
        if starts:
            ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False)
        tuner = tune.Tuner(
            tune.with_parameters(train, data=data, fit=fit),
            param_space={"values": tune.grid_search(values)},
            tune_config=tune.TuneConfig(metric="val_accuracy", mode="max"),
            run_config=tune.RunConfig(storage_path=folder, verbose=0),
        )
        try:
            results = tuner.fit()
        finally:
            if starts:
                ray.shutdown()
        return [max(result.metrics_dataframe["val_accuracy"]) for result in results]


class Timed:
    """A program whose epochs are timed, but for the first of a shape, which compiles."""

    seconds = 0.0

    def __init__(self, run: Any) -> None:
        self.run = run
        self.known: set[tuple[str, ...]] = set()
        self.prepare = run.prepare

    def __call__(self, state: Any, *rest: Any) -> Any:
        began = time.perf_counter()
        outcome = self.run(state, *rest)
        keras.ops.convert_to_numpy(outcome[0][0])
        shapes = tuple(str(column.shape) for column in state)
        if shapes in self.known:
            Timed.seconds += time.perf_counter() - began
        self.known.add(shapes)
        return outcome


@contextmanager
def timed_graphs() -> Iterator[None]:
    """Times the compiled epochs of vectorized trials, nothing else."""
    made = engine.backend

    def timed_backend() -> Any:
        backend = made()
        # Two at once would wait for each other, and be timed for it.
        backend.groups_at_once = 1
        compile_ = backend.compile
        backend.compile = lambda learner, sizes: Timed(compile_(learner, sizes))
        return backend

    Timed.seconds = 0.0
    engine.backend = timed_backend
    try:
        yield
    finally:
        engine.backend = made


def graph(case: Case, values: list[Values]) -> float:
    """The seconds of the compiled epochs: no implementation on these kernels can be quicker."""
    with timed_graphs():
        vectorized(case, values)
    return Timed.seconds * case.epochs / (case.epochs - 1)


ONE_BY_ONE: dict[str, Callable[[Case, list[Values]], Scores]] = {
    "Keras Tuner": with_keras_tuner,
    "Optuna + Keras": with_optuna,
    "loop by hand": by_hand,
    "kt_hpo, inline": inline,
}
TWO_AT_ONCE = {"Ray Tune": with_ray, "kt_hpo, Workers(2)": workers, "kt_hpo, Ray(2)": on_ray}
ALL_AT_ONCE = {"kt_hpo, Vectorized": vectorized}


def seconds_a_trial(
    run: Callable[[Case, list[Values]], Any], case: Case, trials: int, scores: Scores
) -> float:
    """Lets someone train once; adds the scores to a list."""
    values = case.values(trials)
    with measuring.timed() as seconds:
        scores += run(case, values)
    return seconds() / trials
