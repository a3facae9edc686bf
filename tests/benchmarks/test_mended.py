"""Each mended spot runs as it was and as it is."""

from dataclasses import replace

import pytest

from benchmarks import measuring, mended
from kt_hpo.engines import bayesopt_search, optuna_search
from kt_hpo.execution import inline
from kt_hpo.training.vectorized.engine import Engine

PUT_BACK = [
    (mended.tpe, 1, optuna_search, "quick"),
    (mended.bayesopt, 7, bayesopt_search, "quicken"),
    (mended.bayesopt, 7, bayesopt_search, "threadpool_limits"),
    (mended.groups, 1, Engine, "_groups_at_once"),
    (mended.inline, 1, inline, "quick_collections"),
]


@pytest.fixture
def short(monkeypatch):
    """Trains for a step, and undoes what a spot puts back."""
    for case in (mended.ONE, mended.TWELVE):
        few = replace(mended.CASES[case], epochs=1, batch_size=1000)
        monkeypatch.setitem(mended.CASES, case, few)
    for *_, place, name in PUT_BACK:
        monkeypatch.setattr(place, name, getattr(place, name))


@pytest.mark.slow
@pytest.mark.usefixtures("short")
def test_every_spot_is_timed_as_it_was():
    for spot, *_ in mended.SPOTS.values():
        assert spot(True, 1) > 0, spot
    assert mended.gaussian_process(False, 1) > 0


@pytest.mark.slow
def test_a_spot_is_timed_in_a_process_of_its_own():
    with measuring.fresh_process("benchmarks.contenders", "benchmarks.overhead") as process:
        assert process(mended.inline, True, 1) > 0


@pytest.mark.slow
@pytest.mark.parametrize(("spot", "trials", "place", "name"), PUT_BACK)
@pytest.mark.usefixtures("short")
def test_what_is_put_back_is_what_the_code_calls(spot, trials, place, name, monkeypatch):
    calls, real = [], getattr(place, name)

    def watched(*arguments):
        calls.append(arguments)
        return real(*arguments)

    monkeypatch.setattr(place, name, watched)
    spot(False, trials)
    assert calls
