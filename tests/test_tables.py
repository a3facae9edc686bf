"""The record as tables."""

import optuna
from searches import fails_when_wide, searched

from kt_hpo import tables


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
