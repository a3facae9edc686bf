"""Each mended spot runs as it was and as it is."""

from dataclasses import replace

import pytest

from benchmarks import measuring, mended
from kt_hpo.execution import inline
from kt_hpo.oracles import bayesopt_search, samplers
from kt_hpo.training.vectorized.engine import Engine


@pytest.mark.slow
def test_every_spot_is_timed_before_and_after():
    with measuring.fresh_process("benchmarks.contenders", "benchmarks.overhead") as process:
        for spot, *_ in mended.SPOTS.values():
            before, after = (process(spot, as_it_was, 1) for as_it_was in (True, False))
            assert before > 0 and after > 0, spot


@pytest.mark.parametrize(
    ("spot", "trials", "place", "name"),
    [
        (mended.tpe, 1, samplers, "quicken"),
        (mended.bayesopt, 7, bayesopt_search, "quicken"),
        (mended.bayesopt, 7, bayesopt_search, "threadpool_limits"),
        (mended.groups, 1, Engine, "_groups_at_once"),
        (mended.inline, 1, inline, "quick_collections"),
    ],
)
def test_what_is_put_back_is_what_the_code_calls(spot, trials, place, name, monkeypatch):
    for case in (mended.ONE, mended.TWELVE):
        short = replace(mended.CASES[case], epochs=1, batch_size=1000)
        monkeypatch.setitem(mended.CASES, case, short)
    calls, real = [], getattr(place, name)

    def watched(*arguments):
        calls.append(arguments)
        return real(*arguments)

    monkeypatch.setattr(place, name, watched)
    spot(False, trials)
    assert calls
