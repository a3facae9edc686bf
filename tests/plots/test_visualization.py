"""Every plot of `optuna.visualization` draws the record of every engine."""

from importlib.util import find_spec
from types import ModuleType

import matplotlib.pyplot as plt
import optuna
import pytest
from conformance.engines import ENGINES
from conformance.searches import conditional_space, finite_space
from keras_tuner import Objective
from keras_tuner.engine.trial import TrialStatus
from optuna.visualization import matplotlib as on_matplotlib
from tiers import few

from kt_hpo.objectives import with_objective

pytestmark = pytest.mark.filterwarnings("ignore")

BACKENDS = {"plotly": optuna.visualization} if find_spec("plotly") else {}
BACKENDS["matplotlib"] = on_matplotlib
OF_SEVERAL_OBJECTIVES = {
    "plot_hypervolume_history": {"reference_point": [100.0, 100.0]},
    "plot_pareto_front": {},
}

OF_ONE_OBJECTIVE = {"cmaes"}


def plots_of(backend: ModuleType) -> set[str]:
    """The names of all plots, without the one that needs PyTorch where it is missing."""
    names = {name for name in dir(backend) if name.startswith("plot_")}
    return names if find_spec("torch") else names - {"plot_terminator_improvement"}


def study_of(engine, objective, folder):
    """The record of a search with reports, a failed trial and conditional hyperparameters."""
    space = conditional_space() if engine.whole_space else finite_space()
    oracle = engine(objective=objective, seed=3, hyperparameters=space)
    oracle.storage = optuna.storages.InMemoryStorage()
    oracle._set_project_dir(folder, "search")  # Keras Tuner makes it.
    oracle.reload()
    while (trial := oracle.create_trial("tuner0")).status != TrialStatus.STOPPED:
        number = int(trial.trial_id)
        trial.status = TrialStatus.FAILED if number == 2 else TrialStatus.COMPLETED
        if number != 2:
            measured = {"loss": 1.0 + number % 5, "size": 9.0 - number % 4}
            metrics = with_objective(oracle.objective, measured)
            for epoch in range(2):
                oracle.report(trial.trial_id, epoch, metrics)
            oracle.update_trial(trial.trial_id, metrics)
        oracle.end_trial(trial)
    return oracle.record.study


LOSS, SIZE = Objective("loss", "min"), Objective("size", "min")


@pytest.mark.slow
@pytest.mark.parametrize("name", few(ENGINES, "random", "grid", "hyperband", "bayesopt"))
def test_every_plot_of_optunas_draws_every_engine(name, tmp_path):
    study = study_of(ENGINES[name], LOSS, tmp_path)
    assert len(study.trials) > 5
    for backend in BACKENDS.values():
        for plot in plots_of(backend) - OF_SEVERAL_OBJECTIVES.keys():
            assert getattr(backend, plot)(study) is not None
            plt.close("all")


@pytest.mark.parametrize("name", sorted(ENGINES.keys() - OF_ONE_OBJECTIVE))
def test_the_plots_of_several_objectives_draw_every_engine_that_takes_them(name, tmp_path):
    study = study_of(ENGINES[name], [LOSS, SIZE], tmp_path)
    for backend in BACKENDS.values():
        for plot, arguments in OF_SEVERAL_OBJECTIVES.items():
            assert getattr(backend, plot)(study, **arguments) is not None
            plt.close("all")


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_is_drawn_is_what_was_searched(backend, tmp_path):
    study = study_of(ENGINES["random"], LOSS, tmp_path)
    figure = BACKENDS[backend].plot_optimization_history(study)
    complete = [trial for trial in study.trials if trial.value is not None]
    if backend == "plotly":
        drawn = list(figure.data[0].y)
    else:
        drawn = figure.collections[0].get_offsets()[:, 1].tolist()
        plt.close("all")
    assert drawn == [trial.value for trial in complete]
