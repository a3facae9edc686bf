"""Searches that are killed at every single write of their records; `kills.py` has the long run."""

import kills


def test_a_search_that_is_killed_at_any_write_loses_and_changes_nothing(processes, tmp_path):
    assert kills.killed_at_every_write(processes, "tpe", tmp_path, trials=3) > 10


def test_a_search_that_is_killed_at_random_moments_loses_and_changes_nothing(processes, tmp_path):
    assert kills.killed_at_random(processes, "tpe", tmp_path, kills=5, seed=1) > 0
