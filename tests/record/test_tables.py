"""The record as tables."""

import optuna
import pytest
from searches import fails_when_wide, searched

from kt_hpo.plots.search import Search
from kt_hpo.record import tables
from kt_hpo.space.hyperparameters import HyperParameters


@pytest.mark.slow
def test_tables(tmp_path, capsys):
    tuner = searched(tmp_path, hypermodel=fails_when_wide, max_trials=4, seed=1)
    table = tuner.to_dataframe()
    assert list(table["trial"]) == [0, 1, 2, 3]
    assert {"state", "val_accuracy", "units", "rate", "best_epoch", "seconds", "error"} <= set(
        table
    )
    failed = table[table["state"] == "failed"]
    assert len(failed) and all("too wide" in error for error in failed["error"])
    tuner.results_summary(2)
    printed = capsys.readouterr().out
    assert f"{tuner.study.best_value:.4g}" in printed
    tuner.search_space_summary()
    assert "units" in capsys.readouterr().out


def test_constants_are_named_once_and_the_best_trial_is_told_on_a_screen():
    study = optuna.create_study(direction="maximize")
    study.set_metric_names(["val_accuracy"])

    def measured(trial):
        trial.suggest_categorical("pooling", ["max"])
        return trial.suggest_float("rate", 0, 1)

    study.optimize(measured, n_trials=20)
    table, summary = tables.compare_best(study, 3), tables.summarize_best(study, 3)
    fixed, _, *rows = table.splitlines()
    assert fixed == "Fixed: pooling=max"
    assert not any(row.startswith("pooling") for row in rows)
    first, header, *lines, best = summary.splitlines()
    assert first == "The best of 20 trials:"
    assert header.split()[:2] == ["trial", "val_accuracy"] and len(lines) == 3
    assert best == f"Trial {study.best_trial.number}: rate={study.best_value:.4g}"


def test_a_single_trial_shows_all_it_has():
    study = optuna.create_study()
    study.optimize(lambda trial: trial.suggest_int("units", 8, 8), n_trials=1)
    assert "units" in tables.compare_best(study)
    assert tables.summarize_best(study).endswith("Trial 0: units=8")
    assert tables.summarize_best(optuna.create_study()) == "No trial has been completed."


def test_a_choice_of_another_range_stays_one_hyperparameter():
    hp = HyperParameters()
    hp.Choice("kind", ["a", "c"])
    hp.recorded_as = {"kind": ["kind [2]", "kind"]}
    study = optuna.create_study()
    study.set_user_attr("space", hp.get_config())
    for name, choices in (("kind", ["a", "b"]), ("kind [2]", ["a", "c"])):
        study.enqueue_trial({name: choices[1]})
        study.optimize(
            lambda trial, name=name, choices=choices: len(trial.suggest_categorical(name, choices)),
            n_trials=1,
        )
    table = tables.to_dataframe(study)
    assert list(table["kind"]) == ["b", "c"] and "kind [2]" not in table
    assert [trial.params for trial in Search.of(study).trials] == [{"kind": "b"}, {"kind": "c"}]


def test_a_study_of_another_program_may_have_a_space_of_its_own():
    study = optuna.create_study()
    study.set_user_attr("space", "all of it")
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=2)
    assert list(tables.to_dataframe(study)["x"]) == [t.params["x"] for t in Search.of(study).trials]


def test_a_hyperparameter_that_only_later_trials_have_stands_beside_the_others():
    study = optuna.create_study()

    def layered(trial):
        for layer in range(trial.number):
            trial.suggest_int(f"units_{layer}", 8, 64)
        return float(trial.number)

    study.optimize(layered, n_trials=3)
    columns = list(tables.to_dataframe(study))
    assert columns == [
        "trial", "state", "objective", "units_0", "units_1", "best_epoch", "parameters", "seconds",
        "error",
    ]  # fmt: skip
