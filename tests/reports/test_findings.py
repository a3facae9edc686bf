"""What a report says of a search: how far to trust it, what mattered, what to search next."""

import numpy as np
import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import create_trial
from reports.searches import X, searched, study_of, trial

from kt_hpo.plots.influences import Influence, influences
from kt_hpo.plots.search import Search
from kt_hpo.reports.advice import advise, best_trials, why_none
from kt_hpo.reports.answer import answer, further, headline
from kt_hpo.reports.effects import effects
from kt_hpo.reports.uncertainty import Uncertainty, nearest, position, uncertainty
from kt_hpo.space.hyperparameters import HyperParameters
from kt_hpo.space.kinds import Float, Int
from kt_hpo.training.executions import summary
from kt_hpo.training.results import Result


def drawn(objective, trials=50, **options):
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    options = {"sampler": optuna.samplers.RandomSampler(seed=1), **options}
    study = optuna.create_study(**options)
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
    assert one.change == "leave out"
    assert one.reason == "None of the 61 best trials has b (39 completed trials)."
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


@pytest.mark.slow
@pytest.mark.parametrize("sampler", [optuna.samplers.RandomSampler, optuna.samplers.TPESampler])
def test_where_nothing_matters_advice_is_seldom_given(sampler):
    """Where every second search gave advice before, as an engine that learns crowds its trials."""
    advised = 0
    for seed in range(12):
        search = drawn(_noise(seed), 40, sampler=sampler(seed=seed))
        mattered = [one.name for one in influences(search) if one.mattered]
        advised += bool(advise(search, None, mattered))
    assert advised <= 2


def _noise(seed):
    random = np.random.default_rng(seed)

    def objective(trial):
        trial.suggest_float("rate", 1e-4, 1e-1, log=True)
        trial.suggest_int("layers", 1, 4)
        trial.suggest_categorical("kind", ["a", "b", "c"])
        return random.normal()

    return objective


def test_a_narrow_range_needs_trials_outside_of_it():
    """Where an engine has drawn nearly all values close together, the best are there anyway."""
    close, even = np.linspace(0.38, 0.42, 40), np.linspace(0, 1, 40)
    crowded = [trial(float(n * 7 % 40), x=x) for n, x in enumerate(close)]
    assert advise(Search.of(study_of(crowded)), None, ["x"]) == []
    spread = [trial(abs(x - 0.4), x=x) for x in even]
    assert [one.change for one in advise(Search.of(study_of(spread)), None, ["x"])] == ["narrow"]
    assert advise(Search.of(study_of(spread[::3])), None, ["x"]) == []  # Too few.


def test_ties_are_all_of_the_best():
    """Of six equal ones five lie together, by their order alone."""
    places = [0.35, 0.37, 0.38, 0.4, 0.42, 0.9]
    ties = [trial(1.0, x=x) for x in places] + [trial(2.0, x=x) for x in np.linspace(0, 1, 24)]
    search = Search.of(study_of(ties))
    assert len(best_trials(search)) == 6
    assert advise(search, None, ["x"]) == []
    assert advise(Search.of(study_of(ties[:5] + ties[6:])), None, ["x"]) != []


def test_one_value_is_not_called_a_range():
    kind = IntDistribution(1, 8)
    trials = [
        create_trial(value=abs(n - 2.0), params={"n": n}, distributions={"n": kind})
        for n in list(range(1, 9)) * 5
    ]
    [one] = advise(Search.of(study_of(trials)), None, ["n"])
    assert (one.change, one.reason) == ("narrow", "All of the 5 best trials have 2.")


def rising(values):
    return Search.of(study_of([trial(float(value)) for value in values], direction="maximize"))


@pytest.mark.parametrize(
    ("values", "spread", "said"),
    [
        (range(9), None, []),
        (range(20), None, ["The last of 20 completed trials is the best."]),
        (
            range(20),
            0.5,
            [
                "The last of 20 completed trials is the best; the last 6 have improved it by 6, "
                "more than the uncertainty of 0.5: search on."
            ],
        ),
        (
            range(20),
            7.0,
            [
                "The last of 20 completed trials is the best; the last 6 have improved it by 6, "
                "which the uncertainty of 7 may explain."
            ],
        ),
        (
            [*range(10), 30, *range(9)],
            0.5,
            [
                "The best of 20 completed trials was found 9 completed trials ago; the last 6 "
                "have not improved it."
            ],
        ),
    ],
)
def test_whether_to_search_on_is_said_by_what_the_last_trials_gained(values, spread, said):
    trust = None if spread is None else Uncertainty(spread, "")
    assert further(rising(values), trust) == said


def test_of_equal_trials_none_is_said_to_be_the_first_of_the_best():
    said = further(rising([1.0] * 3 + [0.5] * 37), None)
    assert said == [
        "3 of 40 completed trials have the best objective, 1, first 39 completed trials ago; the "
        "last 13 have not improved it.",
        "Their objective cannot tell these 3 apart: an objective with finer steps can, such as a "
        "loss.",
    ]
    assert further(rising([0.5] * 37 + [1.0] * 3), Uncertainty(0.1, "")) == [
        "3 of 40 completed trials have the best objective, 1, first 2 completed trials ago; the "
        "last 13 have improved it by 0.5, more than the uncertainty of 0.1: search on.",
        said[1],
    ]


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


def in_range(kind, values, losses, name="x"):
    trials = [
        create_trial(value=float(loss), params={name: value}, distributions={name: kind})
        for value, loss in zip(values, losses, strict=True)
    ]
    return Search.of(study_of(trials))


@pytest.mark.parametrize(
    ("low", "high", "best"), [(0.9, 0.999, 0.984), (100.0, 101.0, 100.4), (1e-6, 3e-6, 2e-6)]
)
def test_a_narrowed_range_holds_the_best_wherever_it_lies(low, high, best):
    """Two digits of a value, rather than of the range, left the best outside."""
    values = np.linspace(low, high, 100).tolist()
    search = in_range(FloatDistribution(low, high), values, [abs(v - best) for v in values])
    [one] = advise(search, None, ["x"])
    assert one.change == "narrow"
    first, last = eval(one.code.replace("hp.Float", "").replace('"x", ', ""))
    tried = [trial.params["x"] for trial in best_trials(search)]
    assert low <= first <= min(tried) and max(tried) <= last <= high
    assert last - first < 0.5 * (high - low)


@pytest.mark.parametrize(
    ("low", "high", "sign", "beyond"),
    [
        (100_000.0, 100_001.0, -1, "100000.0, 100001.5"),
        (0.5, 0.99999, -1, "0.5, 0.999995"),
        (0.001, 0.1, 1, "0.0005, 0.1"),
        (-5.0, 5.0, 1, "-10.0, 5.0"),
    ],
)
def test_a_widened_range_goes_beyond_what_there_was(low, high, sign, beyond):
    values = np.linspace(low, high, 50).tolist()
    search = in_range(FloatDistribution(low, high), values, [sign * value for value in values])
    [one] = advise(search, None, [])
    assert one.code == f'hp.Float("x", {beyond})'


def test_a_range_whose_best_lie_before_its_end_is_not_widened():
    """What was tried between them and the end was worse."""
    values = np.linspace(0, 10, 100).tolist()
    search = in_range(FloatDistribution(0, 10), values, [abs(v - 9.3) for v in values])
    assert min(trial.params["x"] for trial in best_trials(search)) > 8.8
    assert [one.change for one in advise(search, None, ["x"])] == ["narrow"]


@pytest.mark.parametrize(
    ("hyperparameter", "kind", "sign", "code"),
    [
        (
            Int("x", 16, 512, step=16),
            IntDistribution(16, 512, step=16),
            1,
            'hp.Int("x", 16, 80, step=16)',
        ),
        (
            Float("x", 0.0, 0.9, step=0.1),
            FloatDistribution(0.0, 0.9, step=0.1),
            -1,
            'hp.Float("x", 0.7, 0.9, step=0.1)',
        ),
    ],
)
def test_a_step_beyond_what_can_be_is_not_advised(hyperparameter, kind, sign, code):
    """A layer of 0 units, a dropout of 1."""
    space = HyperParameters()
    space.merge([hyperparameter])
    steps = np.arange(kind.low, kind.high + 1e-9, kind.step).tolist()
    values = [type(kind.low)(round(v, 6)) for v in steps * 3]
    [one] = advise(in_range(kind, values, [sign * v for v in values]), space, ["x"])
    assert (one.change, one.code) == ("narrow", code)


def test_an_end_is_only_said_to_be_reached_where_it_is():
    values = [*np.linspace(0, 9, 40).tolist(), 9.5, 9.6, 9.7, 9.8, 9.9]
    kind = FloatDistribution(0, 10)
    [one] = advise(in_range(kind, values, [-value for value in values]), None, [])
    assert one.reason.startswith(
        "5 of the 5 best trials lie within a tenth of the range from the upper end, 10:"
    )
    [one] = advise(in_range(kind, [*values, *[10.0] * 6], range(51, 0, -1)), None, [])
    assert one.reason.startswith("6 of the 6 best trials lie at the upper end, 10:")


def test_values_that_look_the_same_are_no_range():
    """Such as "lie between 2 and 2"."""
    values = [*np.linspace(0, 9, 40).tolist(), *(2.00001 + i * 1e-6 for i in range(5))]
    search = in_range(FloatDistribution(0, 10), values, [abs(v - 2.000012) for v in values])
    [one] = advise(search, None, ["x"])
    assert one.reason == "All of the 5 best trials lie near 2, in <1% of the range."


def test_a_range_of_few_steps_is_not_narrowed_to_itself():
    space = HyperParameters()
    space.Float("x", 0.0, 0.3, step=0.1)
    kind, values = FloatDistribution(0.0, 0.3, step=0.1), [0.0, 0.1, 0.2, 0.3] * 10
    search = in_range(kind, values, [round(v, 1) not in (0.1, 0.2) for v in values])
    assert advise(search, space, ["x"]) == []
    search = in_range(kind, values, [round(v, 1) != 0.1 for v in values])
    [one] = advise(search, space, ["x"])
    assert one.code == 'hp.Float("x", 0.0, 0.2, step=0.1)'


def conditional_search():
    """Of five best trials four train with momentum, all of these near its end; others tried all."""
    kind, choices = FloatDistribution(0, 0.9), CategoricalDistribution(["adam", "sgd"])
    trials = [
        create_trial(
            value=value,
            params={"optimizer": "sgd", "momentum": momentum},
            distributions={"optimizer": choices, "momentum": kind},
        )
        for value, momentum in [
            *zip(range(60), [0.9] * 6, strict=False),
            *zip(range(100, 160), np.linspace(0, 0.9, 60), strict=True),
        ]
    ]
    trials.insert(
        0,
        create_trial(
            value=-1.0, params={"optimizer": "adam"}, distributions={"optimizer": choices}
        ),
    )
    return Search.of(study_of(trials))


def test_the_best_that_have_a_hyperparameter_are_said_to_be_those():
    search = conditional_search()
    best = best_trials(search)
    having = sum("momentum" in trial.params for trial in best)
    assert having == len(best) - 1
    [one] = [one for one in advise(search, None, []) if one.name == "momentum"]
    assert one.reason.startswith(
        f"{having} of the {having} best trials that have it lie at the upper end, 0.9:"
    )


def hyperband(rounds):
    """Rounds of Hyperband as (value, x, number of the trial it goes on from, epochs)."""
    trials = []
    for value, x, past, epochs in rounds:
        values = {"tuner/bracket": 1, "tuner/round": int(past is not None), "tuner/epochs": epochs}
        if past is not None:
            values["tuner/trial_id"] = f"{past:04d}"
        trials.append(trial(value, x=x, user_attrs={"values": values}))
    return Search.of(study_of(trials))


def test_a_configuration_that_went_on_counts_once():
    """Three rounds each of two configurations are no five that agree."""
    first = [(10 + i, x, None, 3) for i, x in enumerate(np.linspace(0, 1, 30))]
    second = [(3.0, first[29][1], 29, 9), (3.1, first[28][1], 28, 9)]
    third = [(1.0, first[29][1], 30, 27), (1.1, first[28][1], 31, 27)]
    search = hyperband([*first, *second, *third])
    numbers = [one.number for one in best_trials(search)]
    assert numbers[:2] == [32, 33] and not {28, 29, 30, 31} & set(numbers)
    assert headline(search).startswith("34 trials, parts of 30 trainings: 34 complete")
    median, *_ = answer(search, None).remarks
    assert median.startswith("The median of the 30 trainings, each as far as it went, is 22.5.")
    trust = uncertainty(search, search.best())
    assert trust.spread is None  # Its own rounds, which are nearest to it, trained for less.
    assert further(search, Uncertainty(0.1, "")) == []


def test_a_population_gets_no_advice():
    trials = [
        trial(-float(i), x=0.4, user_attrs={"values": {"tuner/member": i % 4, "tuner/epochs": i}})
        for i in range(20)
    ]
    search = Search.of(study_of([trial(5.0, x=x) for x in np.linspace(0, 1, 40)] + trials))
    assert advise(search, None, ["x"]) == []
    assert "population" in why_none(search)
    others = [trial(one.value, x=one.params["x"]) for one in search.trials]
    assert advise(Search.of(study_of(others)), None, ["x"]) != []


@pytest.mark.parametrize(
    ("values", "broken", "said"),
    [
        (9, 0, "Ten completed trials are needed to say which ranges to change; there are 9."),
        (
            12,
            8,
            "Ten completed trials that keep the constraints are needed to say which ranges to "
            "change; there are 4.",
        ),
        (12, 0, "No range calls for a change, as far as these trials can be told from chance."),
    ],
)
def test_why_there_is_no_advice_is_said(values, broken, said):
    trials = [
        trial(float(i), x=i * 7 % 12 / 12, system_attrs={"constraints:small": float(i < broken)})
        for i in range(values)
    ]
    search = Search.of(study_of(trials))
    assert advise(search, None, ["x"]) == [] and why_none(search) == said


def test_with_several_objectives_the_best_are_whole_fronts():
    """The sum of the objectives, in which one decides alone, would draw a line through a front."""
    trials = [
        create_trial(values=[(9 - i) / 9, 1000.0 * i], params={"x": i / 9}, distributions={"x": X})
        for i in range(10)
    ]
    worse = [
        create_trial(values=[2.0, 20_000.0 + i], params={"x": i / 30}, distributions={"x": X})
        for i in range(30)
    ]
    search = Search.of(study_of([*trials, *worse], directions=["minimize", "minimize"]))
    assert {one.number for one in best_trials(search)} == set(range(10))
    assert advise(search, None, ["x"]) == []


def effect_of(kind, values, losses):
    search = in_range(kind, values, losses)
    return effects(search, [Influence("x", 1.0, True)])["x"]


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        (lambda x: -x, "more is better (correlation +1)"),
        (lambda x: x, "less is better (correlation -1)"),
        (lambda x: abs(x - 0.5), "best near 0.5"),
        # The correlation is high, and yet more than that is worse.
        (lambda x: abs(x - 0.7), "best near 0.702 (correlation +0.78)"),
    ],
)
def test_more_is_only_better_where_the_end_is(loss, said):
    values = np.linspace(0, 1, 100).tolist()
    assert effect_of(X, values, [loss(x) for x in values]) == said


def test_a_choice_is_not_the_best_by_one_trial_or_over_its_equals():
    kind = CategoricalDistribution(["a", "b", "c"])
    assert (
        effect_of(kind, ["a"] * 5 + ["b"] * 5 + ["c"], [1] * 5 + [2] * 5 + [0]) == "best median: a"
    )
    assert effect_of(kind, ["a"] * 5 + ["b"] * 5, [1] * 10) == "best median: a or b"


def test_of_executions_that_do_not_make_the_score_it_is_not_said_that_there_was_one():
    search = executed(5.0, 0.1, 0.2)
    basis = uncertainty(search, search.best()).basis
    assert basis.startswith("It was trained 2 times and its score is not their mean")


@pytest.mark.parametrize(
    ("attributes", "curve", "epoch"),
    [
        ({"best_epoch": 0}, {}, None),
        ({"best_epoch": 0}, {0: 0.5, 1: 0.25, 2: 0.3}, "2"),
        ({"best_epoch": 2}, {}, "3"),
        ({"best_epoch": 0, "history": [{"epoch": [0], "loss": [0.25]}]}, {}, "1"),
    ],
)
def test_the_best_epoch_is_that_of_the_score(attributes, curve, epoch):
    """A `run_trial` that returns a number tells no epoch, for which Keras Tuner writes 0."""
    found = answer(
        Search.of(study_of([trial(0.25, user_attrs=attributes, intermediate_values=curve)])), None
    )
    assert dict(found.facts).get("best epoch") == epoch
    assert ("epochs=" in found.code) == (epoch is not None)


RANGES = st.one_of(
    st.builds(
        lambda low, width: FloatDistribution(low, low + width),
        st.floats(-1e6, 1e6),
        st.floats(1e-3, 1e6),
    ),
    st.builds(
        lambda low, factor: FloatDistribution(low, low * factor, log=True),
        st.floats(1e-9, 10.0),
        st.floats(1.5, 1e6),
    ),
    st.builds(
        lambda low, count, step: IntDistribution(low, low + count * step, step=step),
        st.integers(-10, 512),
        st.integers(1, 100),
        st.integers(1, 32),
    ),
    st.builds(
        lambda low, more: IntDistribution(low, low + more, log=True),
        st.integers(1, 64),
        st.integers(2, 4096),
    ),
)


@given(RANGES, st.floats(-0.2, 1.2), st.integers(0, 100))
def test_advice_holds_for_any_range(kind, best, seed):
    """What is widened holds more than before, what is narrowed less, and always all of the best."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    drawn = [study.ask({"x": kind}).params["x"] for _ in range(60)]
    losses = [abs(position(kind, value) - best) for value in drawn]
    search = in_range(kind, drawn, losses)
    for one in advise(search, None, ["x"]):
        low, high = map(float, one.code.rstrip(")").split(", ")[1:3])
        tried = [trial.params["x"] for trial in best_trials(search)]
        assert low <= min(tried) and max(tried) <= high
        if one.change == "widen":
            assert (low, high) != (kind.low, kind.high)
            assert low <= kind.low and kind.high <= high
            assert kind.low <= 0 or low > 0
        else:
            assert kind.low <= low < high <= kind.high and high - low < kind.high - kind.low
