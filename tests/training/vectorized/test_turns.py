"""Trainings that take turns in one thread."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from kt_hpo.training.vectorized.interleave import in_turns


@pytest.fixture
def threads():
    with ThreadPoolExecutor(2) as made:
        yield made


def test_what_was_begun_first_comes_first(threads):
    second_is_done = threading.Event()

    def first():
        yield threads.submit(second_is_done.wait, 60)
        return "first"

    def second():
        yield threads.submit(second_is_done.set)
        return "second"

    assert list(in_turns(iter([first(), second()]), at_once=2)) == ["first", "second"]
    assert second_is_done.is_set()


def test_no_more_run_at_a_time_than_may(threads):
    running, most = set(), []

    def training(number):
        for _ in range(3):
            running.add(number)
            most.append(len(running))
            yield threads.submit(pow, number, 2)
        running.discard(number)
        return number

    for at_once in (1, 2):
        most.clear()
        returned = list(in_turns(map(training, range(5)), at_once))
        assert returned == list(range(5))
        assert max(most) == at_once


def test_trainings_without_anything_to_wait_for_end_at_once():
    def training(number):
        return number
        yield

    assert list(in_turns(map(training, range(3)), at_once=2)) == [0, 1, 2]
    assert list(in_turns(iter([]), at_once=2)) == []


def test_python_runs_in_the_thread_that_asks_and_errors_end_all(threads):
    seen = []

    def failing():
        failed = threads.submit(int, "no number")
        yield failed
        seen.append(threading.current_thread())
        failed.result()

    def other():
        while True:
            yield threads.submit(pow, 2, 2)

    with pytest.raises(ValueError, match="no number"):
        list(in_turns(iter([failing(), other()]), at_once=2))
    assert seen == [threading.current_thread()]
