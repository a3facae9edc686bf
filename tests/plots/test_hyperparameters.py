"""What the plots of hyperparameters draw: parallel coordinates, slices, planes, importances."""

import math

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial
from plots.studies import X, labels, mixed_study, study_of, trial, words

from kt_hpo import plots
from kt_hpo.plots.scale import Scale

RATE = FloatDistribution(1e-5, 1e-1, log=True)


def plane_study(objective, n=60, direction="minimize"):
    """A search whose trials all have a rate, on a logarithmic scale, and units."""
    random = np.random.default_rng(0)
    study = study_of([], direction=direction)
    for _ in range(n):
        params = {
            "rate": float(10 ** random.uniform(-5, -1)),
            "units": int(random.integers(8, 65)),
        }
        study.add_trial(
            create_trial(
                value=objective(**params),
                params=params,
                distributions={"rate": RATE, "units": IntDistribution(8, 64)},
            )
        )
    return study


def distance(rate, units):
    return abs(math.log10(rate) + 3) + units / 1000


@pytest.mark.parametrize(
    ("distributions", "values", "parts"),
    [
        ([X, FloatDistribution(-1, 0.5)], [-1.0, 0.0, 1.0], [0, 0.5, 1]),
        ([RATE], [1e-5, 1e-3, 1e-1], [0, 0.5, 1]),
        ([IntDistribution(8, 8)], [8], [0.5]),
        ([CategoricalDistribution([32, 16])], [16, 32], [0.25, 0.75]),
        ([CategoricalDistribution(["b", "a"])], ["b", "a"], [0.25, 0.75]),
        ([CategoricalDistribution([True, False])], [False, True], [0.25, 0.75]),
    ],
)
def test_scales_place_values_in_their_range(distributions, values, parts):
    scale = Scale.of("x", distributions)
    numbers = np.array([scale.number(value) for value in values])
    assert scale.unit(numbers) == pytest.approx(np.array(parts))
    if len(values) > 1:
        assert scale.from_unit(scale.unit(numbers)) == pytest.approx(numbers)


@pytest.mark.parametrize(
    ("distribution", "expected"),
    [
        (RATE, ["1e-5", "0.0001", "0.001", "0.01", "0.1"]),
        (IntDistribution(16, 256, log=True), ["20", "50", "100", "200"]),
        (IntDistribution(1, 4), ["1", "2", "3", "4"]),
        (FloatDistribution(0.41, 0.43, log=True), ["0.41", "0.43"]),
        (CategoricalDistribution(["relu", "a very long name indeed"]), ["relu", "a very…ndeed"]),
    ],
)
def test_ticks_are_round_numbers_within_the_range(distribution, expected):
    places, written = Scale.of("x", [distribution]).ticks()
    assert written == expected and len(places) == len(written)


def test_parallel_coordinates_end_with_the_important_and_the_objective(ax):
    plots.plot_parallel_coordinates(mixed_study(200), ax)
    names = [label.get_text().strip() for label in ax.get_xticklabels()]
    assert names[-2:] == ["learning_rate", "val_accuracy"] and len(names) == 4
    assert labels(ax) == ["25 failed"]
    assert "not used" in words(ax)


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_up_is_better_in_parallel_coordinates(direction, ax):
    study = study_of([trial(value, x=value / 10) for value in (1.0, 4.0)], direction=direction)
    plots.plot_parallel_coordinates(study, ax)
    best = ax.lines[1].get_ydata()
    other = ax.collections[0].get_segments()[0][:, 1]
    assert best[-1] > 0.9 > 0.1 > other[-1]
    assert best[0] == pytest.approx(study.best_params["x"])


def test_parallel_coordinates_of_many_trials_keep_the_best(ax):
    study = plane_study(lambda rate, units: 10 + distance(rate, units), n=3000)
    plots.plot_parallel_coordinates(study, ax)
    segments = ax.collections[0].get_segments()
    assert 500 < len(segments) <= 1100
    heights = np.sort([segment[-1, 1] for segment in segments])[::-1]
    values = np.sort([trial.value for trial in study.trials])
    assert np.corrcoef(heights[:100], values[:100])[0, 1] == pytest.approx(-1)


def test_slices_show_a_panel_a_hyperparameter_the_important_first():
    ax = plots.plot_slice(mixed_study(200))
    assert ax.child_axes[0].get_xlabel() == "learning_rate"
    assert ax.child_axes[0].get_xscale() == "log"
    drawn = {panel.get_xlabel(): len(panel.collections[0].get_offsets()) for panel in ax.child_axes}
    assert drawn == {"learning_rate": 150, "optimizer": 150, "momentum": 75}


@pytest.mark.parametrize(("trials", "said"), [(5, "2 left out"), (60, "2 less important left out")])
def test_what_is_left_out_is_less_important_only_where_that_is_known(trials, said):
    random, names = np.random.default_rng(0), "abcdefgh"
    study = study_of([])
    for _ in range(trials):
        params = dict(zip(names, map(float, random.uniform(-1, 1, len(names))), strict=True))
        distributions = dict.fromkeys(names, FloatDistribution(-1, 1))
        study.add_trial(create_trial(value=params["a"], params=params, distributions=distributions))
    assert plots.plot_slice(study).get_title(loc="right") == said


def test_slices_mark_failed_trials_and_outliers_at_the_worse_edge(ax):
    values = [1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1e9]
    trials = [*map(trial, values), trial(state=TrialState.FAIL, x=0.9)]
    plots.plot_slice(study_of([*trials, trial(1.0, x=0.1)]), ax)
    good, off, failed, _ = ax.child_axes[0].collections
    assert len(good.get_offsets()) == 7
    assert off.get_offsets().tolist() == [[0.5, 1.0]]
    assert failed.get_offsets().tolist() == [[0.9, 1.0]]


def test_slices_show_pruned_trials_hollow_or_at_the_worse_edge(ax):
    completed = [trial(value, x=value) for value in (0.8, 0.85, 0.9)]
    curves = [(0.2, 0.86), (0.7, 0.1)]
    pruned = [trial(state=TrialState.PRUNED, x=x, curve=[value]) for x, value in curves]
    plots.plot_slice(study_of([*completed, *pruned], direction="maximize"), ax)
    _, hollow, below, *_ = ax.child_axes[0].collections
    assert hollow.get_offsets().tolist() == [[0.2, 0.86]] and not hollow.get_facecolors().size
    assert below.get_offsets().tolist() == [[0.7, 0.0]]
    assert labels(ax) == ["2 pruned"]


def choice_study(choices, name="kind", n=80):
    kinds = {name: CategoricalDistribution(choices), "rate": X, "other": X}
    random = np.random.default_rng(0)
    return study_of(
        create_trial(
            value=random.uniform(),
            params={name: choices[i % len(choices)], "rate": random.uniform(), "other": i / n},
            distributions=kinds,
        )
        for i in range(n)
    )


@pytest.mark.parametrize(
    "choices",
    [
        ["relu", "gelu", "silu", "leaky_relu"],
        ["adam", "sgd"],
        [f"conv{k}x{k}" for k in range(1, 9)],
        [f"a long description of the choice {k}" for k in "abcd"],
        [True, False],
        [16, 32, 64, 128, 256, 512, 1024, 2048],
    ],
)
def test_every_choice_is_named_and_no_two_names_touch(choices):
    axes = plots.plot_slice(choice_study(choices), hyperparameters=["kind", "rate", "other"])
    axes.figure.canvas.draw()
    boxes = []
    for panel in axes.child_axes:
        if panel.get_xlabel() == "kind":
            assert len([t for t in panel.get_xticklabels() if t.get_text()]) == len(choices)
        for label in panel.get_xticklabels():
            box = label.get_window_extent()
            if label.get_text().startswith("\n"):  # In the second row; the first is empty.
                box.y1 = 0.5 * (box.y0 + box.y1)
            boxes += [] if label.get_rotation() == 40 else [box]
    for index, one in enumerate(boxes):
        assert not any(one.overlaps(other) for other in boxes[index + 1 :])


@pytest.mark.parametrize("plot", [plots.plot_slice, plots.plot_parallel_coordinates])
def test_conditional_hyperparameters_have_their_own_names(plot):
    study = choice_study(["a", "b"], name="model=[cnn|mlp]/kind")
    axes = plot(study)
    axes = axes.child_axes if plot is plots.plot_slice else [axes]
    words = [label.get_text() for panel in axes for label in panel.get_xticklabels()]
    words += [panel.get_xlabel() for panel in axes]
    assert "kind" in words and not any("model" in word for word in words)
    plots.plot_slice(study, hyperparameters=["kind"])
    plots.plot_slice(study, hyperparameters=["model=[cnn|mlp]/kind"])


@pytest.mark.parametrize("plot", [plots.plot_slice, plots.plot_contour, plots.plot_rank])
def test_hyperparameters_are_chosen_by_name(plot):
    study = mixed_study(60)
    ax = plot(study, hyperparameters=["momentum", "learning_rate"])
    axes = ax.child_axes if plot is plots.plot_slice else [ax]
    assert axes[0].get_xlabel() == "momentum"
    with pytest.raises(ValueError, match="Did you mean 'momentum'"):
        plot(study, hyperparameters=["momentun", "learning_rate"])


@pytest.mark.parametrize("plot", [plots.plot_contour, plots.plot_rank])
def test_planes_need_two_hyperparameters(plot, ax):
    with pytest.raises(ValueError, match="give two names"):
        plot(mixed_study(), ax, hyperparameters=["momentum"])
    plot(study_of([trial(1.0)]), ax)
    assert words(ax) == ["A plane needs two hyperparameters that vary."]


def test_a_plane_is_spanned_by_the_important_that_go_together(ax):
    study = mixed_study(200)
    plots.plot_rank(study, ax)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("learning_rate", "optimizer")


def test_ranks_draw_the_better_darker_and_on_top(ax):
    study = plane_study(distance)
    plots.plot_rank(study, ax)
    dots = ax.collections[0]
    places = dots.get_offsets()
    values = [distance(rate, units) for rate, units in places]
    assert values == sorted(values, reverse=True)
    brightness = dots.get_facecolors()[:, :3].sum(axis=1)
    assert (np.diff(brightness) <= 1e-9).all()


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_contours_are_darkest_where_the_best_trials_are(direction, ax):
    sign = -1 if direction == "maximize" else 1
    study = plane_study(lambda rate, units: 10 + sign * distance(rate, units), direction=direction)
    plots.plot_contour(study, ax, hyperparameters=["rate", "units"])
    surface = next(c for c in ax.collections if len(c.get_paths()) == 9)
    best = -1 if direction == "maximize" else 0
    middle = surface.get_paths()[best].get_extents()
    assert middle.x0 < 1e-3 < middle.x1
    assert middle.x0 > 1e-5 and middle.x1 < 1e-1


def test_contours_of_choices_leave_white_what_nobody_tried(ax):
    study = study_of([])
    for number in range(12):
        params = {"a": "u" if number % 2 else "v", "b": number % 2 == 0}
        distributions = {
            "a": CategoricalDistribution(["u", "v"]),
            "b": CategoricalDistribution([False, True]),
        }
        study.add_trial(
            create_trial(value=float(number), params=params, distributions=distributions)
        )
    plots.plot_contour(study, ax, hyperparameters=["a", "b"])
    cells = ax.collections[0].get_array()
    assert cells.mask.tolist() == [[False, True], [True, False]]


def test_fanova_ranks_what_the_objective_varies_with(ax):
    study = plane_study(distance, n=300)
    plots.plot_importances(study, ax, method="fanova")
    assert [label.get_text() for label in ax.get_yticklabels()] == ["rate", "units"]
    assert ax.patches[0].get_width() > 0.8
    assert ax.get_title(loc="right") == "fANOVA"
    with pytest.raises(ValueError, match=r"method='anova'.*'ped_anova' or 'fanova'"):
        plots.plot_importances(study, ax, method="anova")


def test_fanova_is_quiet_and_leaves_the_study_as_it_was(ax, caplog):
    study = plane_study(distance, n=20)
    before = len(study.trials)
    caplog.clear()
    plots.plot_importances(study, ax, method="fanova")
    assert not caplog.records and len(study.trials) == before
