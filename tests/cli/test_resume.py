"""`kt-hpo resume`."""

import shutil
import tomllib

import pytest
from cli.commands import QUICK

import kt_hpo
from kt_hpo import cli

pytestmark = pytest.mark.usefixtures("unpainted")


def resume(*arguments):
    return cli.main(["resume", *map(str, arguments), "--verbose", "0"])


def budgeted(directory):
    """A search whose time was up after its first trial or two."""
    command = [*QUICK, "--max-trials", "3", "--directory", str(directory), "--time-budget", "0.1"]
    assert cli.main(command) == cli.OK
    return kt_hpo.open_study(directory)


@pytest.mark.slow
def test_a_search_goes_on_from_anywhere_and_where_it_was_moved_to(tmp_path, monkeypatch):
    study = budgeted(tmp_path / "paused")
    assert len(study.trials) < 3 and not study.user_attrs["finished"]
    begun = study.trials[0].params
    shutil.move(tmp_path / "paused", tmp_path / "moved")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert resume("../moved", "--time-budget", "1h") == cli.OK
    study = kt_hpo.open_study(tmp_path / "moved")
    assert len(study.trials) == 3 and study.user_attrs["finished"]
    assert study.trials[0].params == begun
    kept = tomllib.loads((tmp_path / "moved" / "search.toml").read_text())
    assert (kept["directory"], kept["time_budget"]) == (str(tmp_path / "moved"), 3600)


def test_trials_are_added_to_a_finished_search(copied):
    tested = (copied / "best_model.keras").stat().st_mtime_ns
    assert resume(copied) == cli.OK
    assert (copied / "best_model.keras").stat().st_mtime_ns == tested
    assert resume(copied, "--max-trials", 3) == cli.OK
    assert (copied / "best_model.keras").stat().st_mtime_ns > tested
    assert len(kt_hpo.open_study(copied).trials) == 3
    assert resume(copied) == cli.OK
    assert len(kt_hpo.open_study(copied).trials) == 3


def test_what_search_has_written_begins_the_same_search_elsewhere(finished, tmp_path):
    config = ["--config", str(finished / "search.toml"), "--verbose", "0"]
    assert cli.main(["search", *config, "--directory", str(tmp_path / "two")]) == cli.OK
    one, two = (kt_hpo.open_study(path).trials for path in (finished, tmp_path / "two"))
    assert [trial.params for trial in two] == [trial.params for trial in one]


def test_a_search_that_python_began_is_told_how_to_go_on(tmp_path, capsys):
    class Parabola(kt_hpo.RandomSearch):
        def run_trial(self, trial):
            return trial.hyperparameters.Float("x", -1, 1) ** 2

    tuner = Parabola(directory=tmp_path, project_name="p")
    tuner.search(verbose=0)
    assert resume(tmp_path / "p") == cli.USAGE
    assert "begun from Python (Parabola). Run that program again" in capsys.readouterr().err
    kt_hpo.export(tuner, tmp_path / "plain", "keras-tuner")
    assert resume(tmp_path / "plain") == cli.USAGE
    assert "plain Keras Tuner" in capsys.readouterr().err
    kt_hpo.import_search(tmp_path / "plain", tmp_path, "imported")
    assert resume(tmp_path / "imported") == cli.USAGE
    assert "--warm-start" in capsys.readouterr().err
    assert resume(tmp_path / "nowhere") == cli.USAGE
    assert "There is no search in" in capsys.readouterr().err


def test_what_a_trial_is_cannot_be_changed(tmp_path, capsys):
    with pytest.raises(SystemExit):
        resume(tmp_path, "--seed", 3)
    assert "--seed is not understood" in capsys.readouterr().err
