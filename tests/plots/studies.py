"""Studies to plot, ordinary and degenerate, and what is read from a picture of one."""

import math
from datetime import datetime, timedelta

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState, create_trial

from kt_hpo import plots

X = FloatDistribution(0, 1)
OF_SOMETHING_ELSE = {
    "plot_confusion_matrix",
    "plot_learning_rate",
    "plot_misclassified",
    "plot_predictions",
}
PLOTS_OF_STUDIES = [
    name for name in plots.__all__ if name.startswith("plot_") and name not in OF_SOMETHING_ELSE
]


def trial(value=None, state=TrialState.COMPLETE, curve=(), x=0.5, **attributes):
    made = create_trial(
        state=state,
        value=value,
        params={"x": x},
        distributions={"x": X},
        intermediate_values=dict(enumerate(curve)),
        user_attrs=attributes,
    )
    if state.is_finished():
        made.datetime_start = datetime(2026, 1, 1)
        made.datetime_complete = made.datetime_start + timedelta(seconds=30)
    return made


def study_of(trials, names=None, **directions):
    study = optuna.create_study(**directions)
    if names:
        study.set_metric_names(names)
    study.add_trials(trials)
    return study


def mixed_study(n=40):
    """A search with every state, and a hyperparameter that only some trials have."""
    random = np.random.default_rng(0)
    study = study_of([], names=["val_accuracy"], direction="maximize")
    for number in range(n):
        rate, optimizer = float(10 ** random.uniform(-5, -1)), ["sgd", "adam"][number % 2]
        params = {"learning_rate": rate, "optimizer": optimizer}
        distributions = {
            "learning_rate": FloatDistribution(1e-5, 1e-1, log=True),
            "optimizer": CategoricalDistribution(["sgd", "adam"]),
        }
        if optimizer == "sgd":
            params["momentum"], distributions["momentum"] = float(random.uniform()), X
        state = {0: TrialState.FAIL, 1: TrialState.PRUNED}.get(number % 8, TrialState.COMPLETE)
        value = 0.9 - 0.05 * abs(math.log10(rate) + 3)
        study.add_trial(
            create_trial(
                state=state,
                value=None if state == TrialState.FAIL else value,
                params=params,
                distributions=distributions,
                intermediate_values={0: value / 2, 1: value},
            )
        )
    return study


def placed(value, x=0.5, state=TrialState.COMPLETE, **place):
    """A trial with a place in its search, such as a bracket or a member."""
    values = {f"tuner/{name}": value for name, value in place.items()}
    return trial(value, state=state, x=x, values=values)


def hyperband_study():
    """A bracket of three trials, the best of which went on, and one of one trial."""
    first = {"bracket": 1, "round": 0, "initial_epoch": 0, "epochs": 3}
    second = {"bracket": 1, "round": 1, "initial_epoch": 3, "epochs": 9, "trial_id": "0001"}
    last = {"bracket": 0, "round": 0, "initial_epoch": 0, "epochs": 9}
    return study_of(
        [
            placed(0.5, x=0.1, **first),
            placed(0.3, x=0.2, **first),
            placed(None, x=0.3, state=TrialState.FAIL, **first),
            placed(0.1, x=0.2, **second),
            placed(0.2, x=0.4, **last),
        ]
    )


def population_study():
    """Two members of three intervals; at the second, member 1 copies member 0."""

    def interval(value, x, member, generation, source=None):
        place = {"member": member, "generation": generation}
        place |= {"initial_epoch": 2 * generation, "epochs": 2 * generation + 2}
        if source is not None:
            place["trial_id"] = f"{source:04d}"
        return placed(value, x=x, **place)

    return study_of(
        [
            interval(0.5, 0.1, member=0, generation=0),
            interval(0.9, 0.9, member=1, generation=0),
            interval(0.4, 0.1, member=0, generation=1, source=0),
            interval(0.3, 0.12, member=1, generation=1, source=0),
            interval(0.35, 0.1, member=0, generation=2, source=2),
            interval(0.2, 0.12, member=1, generation=2, source=3),
        ]
    )


def labels(ax):
    legend = ax.get_legend()
    return [text.get_text() for text in legend.get_texts()] if legend else []


def words(ax):
    return [text.get_text() for text in ax.texts]


DEGENERATE = {
    "empty": lambda: study_of([]),
    "one": lambda: study_of([trial(1.0)]),
    "one epoch": lambda: study_of([trial(1.0, curve=[1.0])]),
    "failed": lambda: study_of([trial(state=TrialState.FAIL)] * 3),
    "running": lambda: study_of(
        [
            create_trial(state=TrialState.RUNNING, intermediate_values={0: 0.3}),
            create_trial(state=TrialState.RUNNING),
            create_trial(state=TrialState.WAITING),
        ]
    ),
    "constant": lambda: study_of([trial(0.5, curve=[0.5, 0.5])] * 20),
    "zero": lambda: study_of([trial(0.0)] * 20),
    "infinite": lambda: study_of([trial(math.inf, curve=[math.inf, math.nan])] * 12),
    "some infinite": lambda: study_of([trial(math.inf), trial(1.0, curve=[2.0, math.nan, 1.0])]),
    "huge": lambda: study_of([trial(1e308), trial(-1e308), trial(1.0), trial(2.0)]),
    "tiny": lambda: study_of([trial(1e-300), trial(1e-10)] * 10),
    "no hyperparameters": lambda: study_of([create_trial(value=float(i)) for i in range(20)]),
    "names like mathematics": lambda: study_of(
        [
            create_trial(value=float(i), params={"$x_{": i / 20}, distributions={"$x_{": X})
            for i in range(20)
        ],
        names=["$loss_{"],
    ),
    "two objectives": lambda: study_of(
        [
            create_trial(values=[i / 20, -i], params={"x": i / 20}, distributions={"x": X})
            for i in range(20)
        ],
        directions=["maximize", "minimize"],
    ),
    "a thousand": lambda: mixed_study(1000),
}
