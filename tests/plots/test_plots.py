"""What the plots of a search draw, of ordinary studies and of degenerate ones."""

import math
from types import SimpleNamespace

import matplotlib
import numpy as np
import optuna
import pytest
from matplotlib import pyplot as plt
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from optuna.trial import TrialState, create_trial
from plots.studies import (
    DEGENERATE,
    PLOTS_OF_STUDIES,
    hyperband_study,
    labels,
    mixed_study,
    population_study,
    study_of,
    trial,
    words,
)
from tiers import few

from kt_hpo import plots

STUDY_PLOTS = [getattr(plots, name) for name in PLOTS_OF_STUDIES]


@pytest.mark.parametrize("name", few(DEGENERATE, "empty", "one", "failed", "some infinite"))
@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
@pytest.mark.filterwarnings("error")
def test_every_study_makes_a_page(name, tmp_path):
    before, study = dict(matplotlib.rcParams), DEGENERATE[name]()
    plots.overview(study).savefig(tmp_path / "page.png", dpi=40)
    for plot in STUDY_PLOTS:
        axes = Figure(layout="constrained").subplots()
        assert plot(study, axes) is axes
        axes.figure.savefig(tmp_path / "plot.png", dpi=30)
    assert dict(matplotlib.rcParams) == before
    assert not plt.get_fignums()


@pytest.mark.parametrize("plot", STUDY_PLOTS)
def test_an_empty_study_says_why_nothing_is_drawn(plot, ax):
    plot(study_of([]), ax)
    assert len(words(ax)) == 1 and words(ax)[0].endswith(".")
    assert not ax.collections and not ax.lines and not ax.patches


@pytest.mark.parametrize("plot", STUDY_PLOTS)
def test_without_axes_a_white_figure_is_made_under_any_style(plot):
    with plt.style.context("dark_background"):
        axes = plot(mixed_study())
    assert axes.figure.get_facecolor() == to_rgba("white")
    assert axes.xaxis.label.get_color() == "#333333"


@pytest.mark.parametrize(("paper", "sign"), [("white", -1), ("black", 1)])
def test_the_best_are_farthest_from_the_paper(paper, sign):
    axes = Figure(facecolor=paper).subplots()
    plots.plot_rank(mixed_study(100), axes)
    brightness = axes.collections[0].get_facecolors()[:, :3].mean(axis=1)
    assert (sign * np.diff(brightness) >= -1e-9).all()


def test_the_best_stands_out_on_dark_paper():
    axes = Figure(facecolor="black").subplots()
    plots.plot_learning_curves(mixed_study(), axes)
    faint = np.mean(to_rgba(axes.collections[0].get_color()[0])[:3])
    assert np.mean(to_rgba(axes.lines[0].get_color())[:3]) > faint + 0.15


def test_words_are_light_on_a_dark_figure():
    axes = Figure(facecolor="black").subplots()
    plots.plot_durations(mixed_study(), axes)
    assert axes.xaxis.label.get_color() == "#DDDDDD"


@pytest.mark.parametrize("plot", STUDY_PLOTS)
def test_a_tuner_is_as_good_as_its_study(plot, ax):
    assert plot(SimpleNamespace(study=mixed_study()), ax) is ax
    with pytest.raises(TypeError, match="got dict"):
        plot({}, ax)


def test_history_draws_each_trial_once_by_state(ax):
    plots.plot_optimization_history(mixed_study(40), ax)
    assert labels(ax) == ["30 complete", "5 pruned", "5 failed"]
    drawn = [len(c.get_offsets()) for c in ax.collections if isinstance(c, PathCollection)]
    assert drawn == [30, 5, 5, 1]  # The last is the best's star.
    assert ax.get_ylabel() == "val_accuracy, higher is better"


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_history_line_is_the_best_so_far(direction, ax):
    values = [3.0, 5.0, 2.0, 4.0]
    plots.plot_optimization_history(study_of(map(trial, values), direction=direction), ax)
    expected = [3, 3, 2, 2, 2] if direction == "minimize" else [3, 5, 5, 5, 5]
    assert list(ax.lines[0].get_ydata()) == expected
    best = "2 in trial 2" if direction == "minimize" else "5 in trial 1"
    assert best in ax.get_title(loc="right")


def test_what_breaks_a_constraint_is_never_the_best_so_far(ax):
    broken = create_trial(value=1.0, system_attrs={"constraints:size": 1.0})
    plots.plot_optimization_history(study_of([trial(3.0), broken, trial(2.0)]), ax)
    assert list(ax.lines[0].get_ydata()) == [3, 2, 2]
    assert list(ax.lines[0].get_xdata()) == [0, 2, 2]


def test_history_marks_failures_and_outliers_at_the_worse_edge(ax):
    values = [1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1e9]
    trials = [*map(trial, values), trial(math.inf), trial(state=TrialState.FAIL)]
    plots.plot_optimization_history(study_of(trials), ax)
    assert ax.get_ylim()[1] < 2
    assert labels(ax) == ["7 complete", "2 no value", "1 off scale"]
    edge = [c for c in ax.collections if c.get_label() in ("1 off scale", "2 no value")]
    assert all(c.get_offsets()[:, 1].min() == 1.0 for c in edge)


def test_history_is_logarithmic_for_losses_that_span_decades(ax):
    plots.plot_optimization_history(study_of(map(trial, np.logspace(-4, 0, 20).tolist())), ax)
    assert ax.get_yscale() == "log"


def test_pruned_trials_show_the_last_value_they_reported(ax):
    pruned = trial(state=TrialState.PRUNED, curve=[0.5, 0.7])
    plots.plot_optimization_history(study_of([trial(0.9), trial(0.6), pruned]), ax)
    dots = next(c for c in ax.collections if c.get_label() == "1 pruned")
    assert dots.get_offsets().tolist() == [[2.0, 0.7]]
    assert dots.get_facecolors().size == 0


@pytest.mark.parametrize(("direction", "edge"), [("maximize", 0.0), ("minimize", 1.0)])
def test_pruned_trials_never_squeeze_the_completed_ones(direction, edge, ax):
    sign = 1 if direction == "maximize" else -1
    completed = [trial(sign * value) for value in (0.90, 0.92, 0.94, 0.96)]
    pruned = [
        trial(state=TrialState.PRUNED, curve=[sign * value]) for value in (0.1, 0.2, 0.3, 0.93)
    ]
    plots.plot_optimization_history(study_of([*completed, *pruned], direction=direction), ax)
    low, high = ax.get_ylim()
    assert 0.06 / (high - low) > 0.8
    assert labels(ax) == ["4 complete", "4 pruned, 3 " + ("▽" if edge == 0 else "△")]
    below = next(c for c in ax.collections if c.get_offsets().tolist()[0] == [4.0, edge])
    assert below.get_offsets()[:, 0].tolist() == [4.0, 5.0, 6.0]


@pytest.mark.parametrize("name", ["plot_optimization_history", "plot_learning_curves"])
def test_an_axis_of_accuracies_ends_at_one(name, ax):
    trials = [trial(value, curve=[value / 2, value]) for value in (0.8, 0.9, 0.999)]
    study = study_of(trials, names=["val_accuracy"], direction="maximize")
    getattr(plots, name)(study, ax)
    assert ax.get_ylim()[1] == 1.0
    other = Figure().subplots()
    study = study_of(trials, names=["val_my_score"], direction="maximize")
    getattr(plots, name)(study, other)
    assert other.get_ylim()[1] > 1.0


def test_a_trial_pruned_after_one_epoch_is_a_dot(ax):
    pruned = [trial(state=TrialState.PRUNED, curve=[0.5])] * 300
    plots.plot_learning_curves(study_of([trial(0.1, curve=[0.4, 0.1]), *pruned]), ax)
    dots = next(c for c in ax.collections if isinstance(c, PathCollection))
    assert dots.get_offsets().tolist() == [[0.0, 0.5]] * 300
    assert dots.get_alpha() >= 0.3


def test_several_objectives_show_the_first_and_say_so(ax):
    """The best by the sum of both is not the best of the first: no line may lead down to it."""
    values = [(0.5, 9.0), (0.9, 8.0), (0.7, 1.0), (0.8, 5.0)]
    trials = [create_trial(values=both) for both in values]
    study = study_of(trials, directions=["maximize", "minimize"])
    plots.plot_optimization_history(study, ax)
    assert "first of 2 objectives" in ax.get_ylabel()
    assert ax.get_title(loc="right") == "best objective so far: 0.9"
    assert list(ax.lines[0].get_ydata()) == [0.5, 0.9, 0.9, 0.9, 0.9]
    assert ax.collections[-1].get_offsets().tolist() == [[2.0, 0.7]]
    page = plots.overview(study)
    assert page.get_suptitle().endswith("trial 2 has the best sum of objectives: 0.7")


def test_learning_curves_draw_a_line_a_trial_and_the_best_on_top(ax):
    study = mixed_study(40)
    plots.plot_learning_curves(study, ax)
    faint = [c for c in ax.collections if isinstance(c, LineCollection)]
    assert sum(len(c.get_segments()) for c in faint) == 40
    assert labels(ax) == ["30 complete", "5 pruned", "5 failed"]
    best = study.best_trial
    assert ax.lines[0].get_ydata().tolist() == list(best.intermediate_values.values())
    assert ax.get_title(loc="right") == f"best: trial {best.number}"


def test_learning_curves_fall_back_on_the_mean_history(ax):
    history = [{"epoch": [0, 1], "val_loss": [4.0, 2.0]}, {"epoch": [0], "val_loss": [2.0]}]
    plots.plot_learning_curves(study_of([trial(2.0, history=history)], names=["val_loss"]), ax)
    assert ax.lines[0].get_ydata().tolist() == [3.0, 2.0]


def test_importances_rank_what_matters_and_know_conditional_hyperparameters(ax):
    plots.plot_importances(mixed_study(200), ax)
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names[0] == "learning_rate" and set(names[1:]) == {"optimizer", "momentum"}
    widths = [bar.get_width() for bar in ax.patches]
    assert widths == sorted(widths, reverse=True) and sum(widths) == pytest.approx(1)


def test_importances_show_at_most_ten_bars_and_shorten_names(ax):
    names = [f"hyperparameter_of_the_convolution_block_{i}" for i in range(12)]
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(lambda t: sum(t.suggest_categorical(n, [0, 1]) for n in names), n_trials=300)
    plots.plot_importances(study, ax)
    assert len(ax.patches) == 10
    assert all(len(label.get_text()) <= 24 for label in ax.get_yticklabels())
    assert ax.get_title(loc="right").startswith("2 others")


@pytest.mark.parametrize("method", ["ped_anova", "fanova"])
def test_what_could_have_but_one_value_has_no_importance(method, ax):
    def loss(trial):
        trial.suggest_categorical("optimizer", ["adam"])
        trial.suggest_int("layers", 2, 2)
        return trial.suggest_float("rate", 0, 1) + 0 * trial.suggest_int("units", 1, 2)

    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(loss, n_trials=30)
    plots.plot_importances(study, ax, method=method)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["rate", "units"]


def test_where_nothing_could_be_chosen_nothing_made_a_difference(ax):
    study = optuna.create_study()
    study.optimize(lambda trial: trial.number + trial.suggest_int("layers", 2, 2), n_trials=12)
    plots.plot_importances(study, ax)
    assert words(ax) == ["Nothing made a difference that 12 trials can tell from chance."]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("one", "Importances need 10 trials with a score; there are 1."),
        ("constant", "All trials reached the same value."),
        ("no hyperparameters", "The trials have no hyperparameters."),
    ],
)
def test_importances_say_why_they_cannot_tell(name, reason, ax):
    plots.plot_importances(DEGENERATE[name](), ax)
    assert words(ax) == [reason]


def test_durations_stack_every_ended_trial(ax):
    trials = [trial(1.0)] * 3 + [trial(state=TrialState.FAIL)] * 2
    plots.plot_durations(study_of(trials), ax)
    assert labels(ax) == ["3 complete", "2 failed"]
    assert ax.get_xlabel() == "seconds per trial"
    assert ax.get_title(loc="right") == "150 seconds in all"


@pytest.mark.parametrize(
    "predicted",
    [[0, 1, 1, 2], [[0.9, 0.1, 0], [0, 0.8, 0.2], [0.3, 0.5, 0.2], [0, 0, 1]]],
    ids=["labels", "probabilities"],
)
def test_confusion_counts_rows_of_truth(predicted, ax):
    plots.plot_confusion_matrix([0, 1, 2, 2], predicted, ["a", "b", "c"], ax)
    assert words(ax) == ["1", "0", "0", "0", "1", "0", "0", "1", "1"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["a", "b", "c"]
    assert ax.get_title(loc="right") == "accuracy 0.75"


def test_confusion_takes_sigmoids_and_words(ax):
    plots.plot_confusion_matrix([[0], [1]], [[0.2], [0.7]], ax=ax)
    assert words(ax) == ["1", "0", "0", "1"]
    plots.plot_confusion_matrix(["cat", "dog"], ["dog", "dog"], ax=Figure().subplots())


def test_confusion_of_many_classes_leaves_the_counts_out(ax):
    plots.plot_confusion_matrix(np.arange(100), np.arange(100), ax=ax)
    assert not ax.texts and len(ax.get_xticklabels()) <= 40


def test_confusion_refuses_what_does_not_fit(ax):
    with pytest.raises(ValueError, match="2 samples"):
        plots.plot_confusion_matrix([0, 1], [0], ax=ax)
    with pytest.raises(ValueError, match="2 names for 3 classes"):
        plots.plot_confusion_matrix([0, 1, 2], [0, 1, 2], ["a", "b"], ax=ax)


def test_predictions_leave_out_and_count_what_is_not_finite(ax):
    plots.plot_predictions([1.0, 2.0, 3.0], [1.0, np.nan, 3.0], ax)
    assert len(ax.collections[0].get_offsets()) == 2
    assert ax.get_title(loc="right") == "root mean squared error 0, 1 not finite"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("true", "predicted", "title"),
    [
        (None, None, "Durations"),
        ([0, 1, 1], [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]], "Confusion matrix"),
        (["a", "b"], ["a", "b"], "Confusion matrix"),
        ([0.5, 1.2, 3.1], [[0.4], [1.1], [3.0]], "Predictions"),
        (np.arange(1000), np.arange(1000) + 0.5, "Predictions"),
    ],
)
def test_overview_ends_with_the_predictions_there_are(true, predicted, title):
    assert titles(plots.overview(mixed_study(), true, predicted))[-1] == title


def titles(page):
    return [axes.get_title(loc="left") for axes in page.axes]


@pytest.mark.parametrize(
    ("study", "own"),
    [
        (mixed_study, ["Learning curves", "Parallel coordinates", "Slices"]),
        (
            hyperband_study,
            ["Distribution", "Parallel coordinates", "Hyperband brackets"],
        ),
        (
            population_study,
            ["Distribution", "Lineage of the population", "Schedules"],
        ),
        (
            DEGENERATE["two objectives"],
            ["Distribution", "Parallel coordinates", "Pareto front"],
        ),
    ],
)
def test_overview_shows_what_the_search_has(study, own):
    assert titles(plots.overview(study())) == [
        "Optimization history",
        "Importances",
        *own,
        "Durations",
    ]


@pytest.mark.slow
def test_overview_headline_and_caption():
    page = plots.overview(mixed_study(40))
    assert page.get_suptitle().startswith("40 trials (30 complete, 5 failed, 5 pruned) · best val_")
    assert "learning_rate = " in page.get_supxlabel()
    assert page._repr_png_().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="both"):
        plots.overview(mixed_study(), y_true=[1])
