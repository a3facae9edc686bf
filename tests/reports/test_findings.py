"""What a report says of a search: how far to trust it, what mattered, what to search next."""

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import create_trial
from reports.searches import searched, study_of, trial

from kt_hpo.plots.influences import influences
from kt_hpo.plots.search import Search
from kt_hpo.reports.advice import advise
from kt_hpo.reports.answer import answer, further
from kt_hpo.reports.uncertainty import nearest, uncertainty
from kt_hpo.space.hyperparameters import HyperParameters
from kt_hpo.training.executions import summary
from kt_hpo.training.results import Result


def drawn(objective, trials=50, **options):
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1), **options)
    study.optimize(objective, n_trials=trials)
    return Search.of(study)


def executed(score, *scores):
    """A trial of several executions."""
    attributes = summary([Result({"objective": one}) for one in scores])
    return Search.of(study_of([trial(score, user_attrs=attributes)]))


def test_executions_give_the_standard_error_of_their_mean():
    search = executed(0.2, 0.1, 0.2, 0.3)
    trust = uncertainty(search, search.best())
    assert trust.spread == pytest.approx(0.1 / 3**0.5)
    assert "3 executions" in trust.basis and "0.1, 0.2, 0.3" in trust.basis


def test_executions_that_do_not_make_the_score_are_not_used():
    search = executed(5.0, 0.1, 0.2)
    assert uncertainty(search, search.best()).spread is None


def test_without_executions_the_nearest_trials_tell_the_spread():
    near = [trial(value, x=0.5 + value / 100) for value in (1.0, 1.1, 1.2, 1.3, 1.4, 1.5)]
    far = [trial(9.0, x=1.0) for _ in range(14)]
    search = Search.of(study_of([*near, *far]))
    assert [other.value for other in nearest(search, search.best())] == [1.1, 1.2, 1.3, 1.4, 1.5]
    trust = uncertainty(search, search.best())
    assert trust.spread == pytest.approx(0.187, abs=1e-3)
    assert "trained once" in trust.basis
    few = Search.of(study_of([*near, *far[1:]]))
    assert uncertainty(few, few.best()).spread is None


def test_trials_are_alike_by_what_mattered():
    kinds = {"x": FloatDistribution(0, 1), "y": FloatDistribution(0, 1)}
    places = {"best": (0.5, 0.5), "same x": (0.5, 1.0), "same y": (0.9, 0.5)}
    trials = [
        create_trial(
            value=float(i), params=dict(zip("xy", place, strict=True)), distributions=kinds
        )
        for i, place in enumerate(places.values())
    ]
    search = Search.of(study_of(trials))
    assert nearest(search, search.best())[0].number == 2
    assert nearest(search, search.best(), {"x": 0.9, "y": 0.1})[0].number == 1


def test_what_could_have_but_one_value_is_no_influence():
    def loss(trial):
        trial.suggest_categorical("optimizer", ["adam"])
        return trial.suggest_float("x", 0, 1)

    found = influences(drawn(loss))
    assert [(one.name, one.share) for one in found] == [("x", 1.0)]


def test_what_mattered_is_told_from_chance():
    found = influences(Search.of(searched(100)))
    assert (found[0].name, found[0].mattered) == ("rate", True)
    assert found[0].share > 0.5
    assert not any(one.mattered for one in found if one.name == "dropout")
    assert sum(one.share for one in found) == pytest.approx(1)


def test_a_range_whose_end_is_best_is_to_be_widened():
    search = drawn(lambda t: -t.suggest_float("rate", 1e-5, 1e-3, log=True))
    [one] = advise(search, None, ["rate"])
    assert one.change == "widen" and "upper end" in one.reason
    assert one.code == 'hp.Float("rate", 1e-05, 0.005, sampling="log")'
    [one] = advise(drawn(lambda t: t.suggest_int("units", 64, 256)), None, [])
    assert (one.change, one.code) == ("widen", 'hp.Int("units", 32, 256)')


@pytest.mark.parametrize(("sign", "advised"), [(1, []), (-1, ["hp.Float"])])
def test_a_share_is_not_widened_beyond_0_and_1(sign, advised):
    search = drawn(lambda t: sign * t.suggest_float("dropout", 0.0, 0.5))
    found = advise(search, None, [])
    assert [one.code.split("(")[0] for one in found] == advised
    assert all('"dropout", 0.0, 0.75' in one.code for one in found)


def test_a_range_with_the_best_in_a_part_of_it_is_to_be_narrowed_if_it_mattered():
    search = drawn(lambda t: abs(t.suggest_float("x", 0, 100) - 40), trials=100)
    assert advise(search, None, []) == []
    [one] = advise(search, None, ["x"])
    assert one.change == "narrow"
    low, high = eval(one.code.replace("hp.Float", "").replace('"x", ', ""))
    assert 20 < low < 40 < high < 60


def test_a_choice_that_none_of_the_best_has_is_to_be_left_out():
    search = drawn(lambda t: t.suggest_categorical("kind", ["a", "b", "c"]) == "b", trials=100)
    [one] = advise(search, None, [])
    assert one.change == "leave out" and "b (tried" in one.reason
    assert one.code == 'hp.Choice("kind", ["a", "c"])'


def test_advice_keeps_the_steps_and_sampling_of_the_space():
    space = HyperParameters()
    space.Int("units", 8, 64, step=8)
    kind = IntDistribution(8, 64, step=8)
    trials = [
        create_trial(value=-float(u), params={"units": u}, distributions={"units": kind})
        for u in list(range(8, 65, 8)) * 3 + [64] * 6
    ]
    [one] = advise(Search.of(study_of(trials)), space, [])
    assert one.code == 'hp.Int("units", 8, 96, step=8)'


def test_too_few_trials_get_no_advice():
    search = drawn(lambda t: t.suggest_float("x", 0, 1), trials=9)
    assert advise(search, None, ["x"]) == [] and influences(search) == []


def test_searching_on_is_advised_where_the_best_came_late():
    rising = Search.of(study_of([trial(float(i)) for i in range(20)], direction="maximize"))
    assert "came late" in further(rising)[0]
    falling = Search.of(study_of([trial(float(i)) for i in range(20)]))
    assert "none better" in further(falling)[0]


def test_the_smallest_of_the_equally_good_is_named():
    trials = [
        trial(value, x=0.5, user_attrs={"parameters": size})
        for value, size in [
            (1.0, 900),
            (1.001, 100),
            (1.002, 800),
            (1.02, 10),
            (1.03, 9),
            (1.04, 8),
        ]
    ]
    trials += [trial(9.0, x=1.0) for _ in range(14)]
    found = answer(Search.of(study_of(trials)), None)
    assert "trial 1 has the smallest model: 100 parameters rather than 900" in found.remarks[1]


def test_the_code_builds_the_best_model_again():
    kinds = {"units": IntDistribution(1, 9), "act": CategoricalDistribution(["relu", 'a"\n"b'])}
    best = create_trial(
        value=0.0, params={"units": 7, "act": 'a"\n"b'}, distributions=kinds,
        user_attrs={"best_epoch": 2, "values": {"tuner/epochs": 3}},
    )  # fmt: skip
    built, fitted = {}, {}

    class Model:
        def fit(self, x, y, epochs):
            fitted["epochs"] = epochs

    def build(hp):
        built.update(units=hp.Int("units", 1, 9), act=hp.Choice("act", ["relu", 'a"\n"b']))
        return Model()

    exec(answer(Search.of(study_of([best])), None).code, {"build": build, "x": None, "y": None})
    assert built == {"units": 7, "act": 'a"\n"b'} and fitted == {"epochs": 3}
