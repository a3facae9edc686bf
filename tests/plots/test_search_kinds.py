"""What the plots of particular searches draw: Hyperband, populations, several objectives."""

import itertools

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState, create_trial
from plots.studies import X, hyperband_study, labels, population_study, study_of, words

from kt_hpo import Hyperband, PopulationBasedTraining, plots
from kt_hpo.record.best import on_front


class Slope(Hyperband):
    def run_trial(self, trial):
        return trial.hyperparameters.Float("x", 0, 1) / trial.hyperparameters.values["tuner/epochs"]


class Walk(PopulationBasedTraining):
    def run_trial(self, trial):
        values = trial.hyperparameters.values
        return trial.hyperparameters.Float("step", 0.1, 3.0) / values["tuner/epochs"]


def searched(tuner, tmp_path, **arguments):
    arguments |= {"seed": 0, "directory": tmp_path, "storage": optuna.storages.InMemoryStorage()}
    made = tuner(**arguments)
    made.search(verbose=0)
    return made


def counts(panel):
    return [text.get_text() for text in panel.texts]


def test_brackets_of_a_real_search(tmp_path, ax):
    tuner = searched(Slope, tmp_path, max_epochs=9)
    plots.plot_brackets(tuner, ax)
    assert [panel.get_title() for panel in ax.child_axes] == ["bracket 2", "bracket 1", "bracket 0"]
    drawn = sum(int(count) for panel in ax.child_axes for count in counts(panel))
    assert drawn == tuner.oracle.planned_trials


def test_brackets_join_a_trial_to_the_one_it_went_on_as(ax):
    plots.plot_brackets(hyperband_study(), ax)
    first, second = ax.child_axes
    assert counts(first) == ["3", "1"] and counts(second) == ["1"]
    steps = first.collections[0].get_segments()
    assert [step.tolist() for step in steps] == [[[3, 0.3], [9, 0.1]]]
    assert first.lines[0].get_xydata().tolist() == [[3, 0.3], [9, 0.1]]
    assert first.collections[-1].get_offsets().tolist() == [[3, 1.0]]  # The failed one.
    assert ax.get_title(loc="right") == "4 configurations, 1 promotions"


@pytest.mark.parametrize(
    ("plot", "reason"),
    [
        (plots.plot_brackets, "no brackets; those of kt_hpo.Hyperband"),
        (plots.plot_lineage, "no population; those of kt_hpo.PopulationBasedTraining"),
        (plots.plot_schedules, "no population; those of kt_hpo.PopulationBasedTraining"),
        (plots.plot_pareto_front, "One objective has a best trial"),
    ],
)
def test_other_searches_are_told_why_there_is_nothing(plot, reason, ax):
    plot(study_of([create_trial(value=1.0)]), ax)
    assert reason in words(ax)[0]


def test_lineage_of_a_real_search(tmp_path, ax):
    tuner = searched(Walk, tmp_path, population_size=4, max_epochs=5)
    plots.plot_lineage(tuner, ax)
    assert len(ax.collections[0].get_segments()) == 20
    best = tuner.oracle.get_best_trials(1)[0]
    way = [line.get_xdata().tolist() for line in ax.lines]
    assert way == [[first, end] for first, end, _ in tuner.schedule(best)]


def test_lineage_draws_the_copies_and_the_way_of_the_best(ax):
    plots.plot_lineage(population_study(), ax)
    assert ax.get_title(loc="right") == "1 copy"
    assert [line.get_ydata().tolist() for line in ax.lines] == [[0, 0], [1, 1], [1, 1]]
    bow = ax.collections[1].get_segments()[0]
    assert bow[0].tolist() == [2, 0] and bow[-1].tolist() == [2, 1]


def test_schedules_show_what_was_explored_and_the_best_ones(ax):
    plots.plot_schedules(population_study(), ax)
    [panel] = ax.child_axes
    assert panel.get_title(loc="left") == "x"
    assert panel.lines[1].get_ydata().tolist() == [0.1, 0.1, 0.12, 0.12, 0.12, 0.12]


def test_learning_curves_of_intervals_are_joined(ax):
    study = population_study()
    joined = study_of([])
    for trial in study.trials:
        begin = trial.user_attrs["values"]["tuner/initial_epoch"]
        trial.intermediate_values = {begin: 1.0, begin + 1: trial.value}
        joined.add_trial(trial)
    plots.plot_learning_curves(joined, ax)
    starts = [segment[0, 0] for segment in ax.collections[0].get_segments()]
    assert starts == [0, 0, 1, 1, 3, 3]
    assert ax.lines[0].get_xdata()[[0, -1]].tolist() == [0, 5]


def objectives_study(values, directions, **arguments):
    trials = [create_trial(values=each, **arguments) for each in values]
    return study_of(trials, directions=directions)


def test_front_of_two_objectives_is_a_staircase(ax):
    values = [[1.0, 5.0], [2.0, 7.0], [3.0, 6.0], [0.5, 1.0]]
    plots.plot_pareto_front(objectives_study(values, ["minimize", "maximize"]), ax)
    assert labels(ax) == ["1 dominated", "3 on the front"]
    assert ax.lines[0].get_xydata()[1:-1].tolist() == [[0.5, 1.0], [1.0, 5.0], [2.0, 7.0]]
    assert ax.get_xlabel() == "objective, lower is better"
    assert ax.get_ylabel() == "objective 2, higher is better"


def test_front_keeps_the_constraints_and_its_ends_on_the_axes(ax):
    study = objectives_study(
        [[1e6, 0.0], *[[float(i), 9.0 - i] for i in range(1, 9)]], ["minimize"] * 2
    )
    study.add_trial(create_trial(values=[0.0, -1.0], system_attrs={"constraints:small": 1.0}))
    study.add_trial(create_trial(state=TrialState.FAIL))
    plots.plot_pareto_front(study, ax)
    assert labels(ax)[1:] == ["9 on the front", "1 break a constraint"]
    assert ax.get_xlim()[1] > 1e6


def test_front_of_three_objectives_is_drawn_side_by_side(ax):
    values = [[1.0, 1.0, 1.0], [2.0, 2.0, 0.5], [3.0, 3.0, 3.0]]
    plots.plot_pareto_front(objectives_study(values, ["minimize"] * 3), ax)
    assert labels(ax) == ["1 dominated", "2 on the front"]
    assert len(ax.get_xticklabels()) == 3


@pytest.mark.parametrize("objectives", [2, 3])
def test_a_front_of_all_trials_has_a_legend(ax, objectives):
    values = [[1.0, 2.0, 0.0], [2.0, 1.0, 0.0]]
    values = [each[:objectives] for each in values]
    plots.plot_pareto_front(objectives_study(values, ["minimize"] * objectives), ax)
    assert "2 on the front" in labels(ax)


def test_the_front_is_optunas():
    random = np.random.default_rng(0)
    for objectives in (2, 3):
        losses = random.integers(0, 12, size=(200, objectives)).astype(float)
        study = objectives_study(losses.tolist(), ["minimize"] * objectives)
        best = {trial.number for trial in study.best_trials}
        assert set(np.flatnonzero(on_front(losses))) == best


def test_distributions_of_several_searches_are_compared(ax):
    studies = [study_of([create_trial(value=v) for v in values]) for values in ([3.0, 1.0], [2.0])]
    plots.plot_edf(studies, ax)
    assert [label.rsplit(" ", 1)[1] for label in labels(ax)] == ["(2)", "(1)"]
    places, heights = ax.lines[0].get_data()
    assert places[1:-1].tolist() == [1.0, 3.0] and heights[:-1].tolist() == [0, 0.5, 1]
    with pytest.raises(ValueError, match="different objectives"):
        plots.plot_edf([studies[0], study_of([], direction="maximize")], ax)
    with pytest.raises(ValueError, match="sequence is empty"):
        plots.plot_edf([], ax)


def test_one_distribution_names_its_median(ax):
    plots.plot_edf(study_of([create_trial(value=v) for v in (1.0, 2.0, 9.0)]), ax)
    assert ax.get_title(loc="right") == "median 2 of 3 complete trials"


def test_the_same_hyperparameters_are_left_out_of_no_plot(ax):
    pairs = itertools.product([0.2, 0.4], repeat=2)
    trials = [
        create_trial(value=a + b, params={"a": a, "b": b}, distributions={"a": X, "b": X})
        for a, b in pairs
    ]
    plots.plot_rank(study_of(trials), ax)
    assert len(ax.collections[0].get_offsets()) == 4
