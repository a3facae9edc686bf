"""Workers are timed and weighed in processes of their own."""

import os

import pytest

import kt_hpo
from benchmarks import measuring, workers


@pytest.mark.slow
def test_a_search_has_its_seconds(tmp_path, monkeypatch, capsys):
    class Inline(kt_hpo.RandomSearch):
        def __init__(self, *args, executor, **options):
            assert executor == 1  # Others show that workers train.
            super().__init__(*args, **options)

    few = workers.data(200)
    monkeypatch.setattr(workers, "data", lambda samples: few)
    monkeypatch.setattr(kt_hpo, "RandomSearch", Inline)
    workers.run_case("search", "1", "1", str(tmp_path))
    assert float(capsys.readouterr().out.split()[-1]) > 0


@pytest.mark.slow
def test_a_search_is_weighed_in_a_process_of_its_own():
    assert workers.measure("weigh", sorted(os.sched_getaffinity(0)), 1, 1) > 0


def test_the_page_says_how_much_faster_two_are():
    seconds = {n: measuring.spread([s]) for n, s in (("1", 30.0), ("2", 20.0))}
    speed = {"trials": 8, "seconds": seconds, "times as fast": 1.5}
    memory = {"array megabytes": 1000, "workers": 4, "megabytes more": 1350.4}
    page = workers.section({"speed": speed, "memory": memory})
    assert "8 trials: two workers are **1.50 times** as fast" in page
    assert "one array of 1,000 MB need 1,350 MB more" in page
