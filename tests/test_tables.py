"""The record as tables."""

from searches import fails_when_wide, searched


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
