"""What is recorded of how a search came about."""

import subprocess
import sys

import kt_hpo
from kt_hpo.record.provenance import git_commit, record_environment


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
    assert only["packages"]["keras"] == __import__("keras").__version__
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
