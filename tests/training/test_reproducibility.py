import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import kt_hpo
from kt_hpo.training.reproducibility import git_commit, record_environment

ROOT = Path(kt_hpo.__file__).parent.parent


def program(directory, **options):
    given = ", ".join(f"{name}={value!r}" for name, value in options.items())
    return textwrap.dedent(
        f"""
        import sys
        sys.path[:0] = [{str(ROOT / "tests")!r}, {str(ROOT)!r}]
        import kt_hpo
        RandomSearch = kt_hpo.RandomSearch
        from models import blobs, build
        where = {{"directory": {directory!r}}}
        tuner = RandomSearch(build, "val_loss", max_trials=2, seed=5, **where, {given})
        tuner.search(*blobs(), validation_split=0.2, epochs=2, verbose=0)
        import tensorflow as tf
        from tensorflow.python.framework import config
        print(config.is_op_determinism_enabled())
        print([t.user_attrs["history"] for t in tuner.study.trials])
        """
    )


@pytest.mark.slow
def test_deterministic_searches_are_the_same_to_the_last_bit(tmp_path):
    (tmp_path / "repo").mkdir()
    printed = [
        subprocess.run(
            [sys.executable, "-c", program(str(tmp_path / str(run)), deterministic=True)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for run in range(2)
    ]
    assert printed[0] == printed[1]
    assert printed[0].startswith("True\n[")


def test_the_record_holds_what_the_search_ran_on(tmp_path, monkeypatch):
    class Parabola(kt_hpo.RandomSearch):
        def run_trial(self, trial):
            return trial.hyperparameters.Float("x", -1, 1) ** 2

    def search(trials):
        tuner = Parabola(max_trials=trials, seed=0, directory=tmp_path)
        tuner.search(verbose=0)
        return tuner.study

    search(1)
    [only] = search(2).user_attrs["environments"]
    assert only["from_trial"] == 0
    assert only["backend"] == "tensorflow"
    assert only["keras"] == __import__("keras").__version__
    assert only["devices"] and all(only["devices"])
    monkeypatch.setattr("platform.python_version", lambda: "3.99")
    environments = search(3).user_attrs["environments"]
    assert [(one["from_trial"], one["python"] == "3.99") for one in environments] == [
        (0, False),
        (2, True),
    ]
    record_environment(search(3))
    assert len(search(3).user_attrs["environments"]) == 2


def test_the_commit_of_the_programs_repository_is_found(tmp_path, monkeypatch):
    file = tmp_path / "program.py"
    monkeypatch.setattr(sys.modules["__main__"], "__file__", str(file), raising=False)
    assert git_commit() is None

    def git(*arguments):
        command = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
        ended = subprocess.run([*command, *arguments], check=True, capture_output=True, text=True)
        return ended.stdout.strip()

    git("init")
    file.write_text("1")
    git("add", ".")
    git("commit", "-m", "one")
    assert git_commit() == git("rev-parse", "HEAD")
    file.write_text("2")
    assert git_commit() == git("rev-parse", "HEAD") + "+"
