"""The search space as a tree."""

import optuna
from optuna.trial import create_trial
from plots.studies import X, study_of, words

from kt_hpo import HyperParameters, RandomSearch, plots


class Conditional(RandomSearch):
    """A search that needs no training."""

    def run_trial(self, trial):
        return build(trial.hyperparameters)


def build(hp):
    """A space with a scope in a scope, and a name that two scopes share."""
    model = hp.Choice("model", ["mlp", "cnn"])
    with hp.conditional_scope("model", ["mlp"]):
        if model == "mlp":
            hp.Int("units", 8, 64)
    with hp.conditional_scope("model", ["cnn"]):
        if model == "cnn":
            hp.Int("units", 16, 512, sampling="log")
            pooling = hp.Boolean("pooling")
            with hp.conditional_scope("pooling", [True]):
                if pooling:
                    hp.Choice("size", [2, 3])
    return hp.Float("rate", 1e-4, 1e-1, sampling="log")


def tree(ax):
    """The words at the left with how far they are indented."""
    left = [text for text in ax.texts if 0 <= text.get_position()[0] < 0.4]
    return [(text.get_text(), round(text.get_position()[0], 3)) for text in left]


def test_conditional_hyperparameters_stand_under_their_conditions(tmp_path, ax):
    tuner = Conditional(
        build, max_trials=20, seed=0, directory=tmp_path, storage=optuna.storages.InMemoryStorage()
    )
    tuner.search(verbose=0)
    plots.plot_space(tuner, ax)
    assert tree(ax) == [
        ("model", 0),
        ("model = mlp", 0.028),
        ("units", 0.056),
        ("model = cnn", 0.028),
        ("units", 0.056),
        ("pooling", 0.056),
        ("pooling = True", 0.084),
        ("size", 0.112),
        ("rate", 0),
    ]
    assert {"8", "64", "16", "512 log", "2", "3", "0.1 log"} <= set(words(ax))
    assert ax.get_title(loc="right") == "6 hyperparameters"


def test_a_space_is_drawn_before_its_first_trial(ax):
    hp = HyperParameters()
    hp.Choice("model", ["mlp", "cnn"])
    with hp.conditional_scope("model", ["mlp", "cnn"]):
        hp.Fixed("epochs", 3)
    study = study_of([])
    study.set_user_attr("space", hp.get_config())
    plots.plot_space(study, ax)
    assert [name for name, _ in tree(ax)] == ["model", "model = mlp or cnn", "epochs"]


def test_the_best_value_is_marked_and_long_spaces_are_cut(ax):
    names = [f"x{number}" for number in range(70)]
    study = study_of(
        create_trial(
            value=part, params=dict.fromkeys(names, part), distributions=dict.fromkeys(names, X)
        )
        for part in (0.25, 0.5)
    )
    plots.plot_space(study, ax)
    assert len(tree(ax)) == 60
    assert ax.get_title(loc="right") == "60 hyperparameters, 10 rows left out"
    ticks, best = ax.collections[1:3]
    assert len(ticks.get_segments()) == 2
    assert best.get_segments()[0][0, 0] == 0.5 + 0.25 * 0.44
