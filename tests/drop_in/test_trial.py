"""Trials: their summary, their statuses, and the way to a file and back."""

import pytest


def finished(kt, **kwargs):
    hp = kt.HyperParameters()
    hp.Int("a", 0, 10, default=3)
    trial = kt.engine.trial.Trial(hp, trial_id="7", status="COMPLETED", **kwargs)
    trial.metrics.register("score", direction="max")
    trial.metrics.update("score", 10, step=1)
    return trial


def assert_same(one, other):
    assert (one.trial_id, one.status) == (other.trial_id, other.status)
    assert (one.score, one.best_step) == (other.score, other.best_step)
    assert one.hyperparameters.values == other.hyperparameters.values
    assert one.metrics.get_history("score") == other.metrics.get_history("score")


@pytest.mark.parametrize(("score", "step"), [(None, 0), (-10.0, 3)])
def test_a_trial_survives_a_message_a_state_and_a_file(kt, score, step, tmp_path):
    trial = finished(kt)
    trial.score, trial.best_step = score, step
    kind = type(trial)
    assert_same(kind.from_proto(trial.to_proto()), trial)
    assert_same(kind.from_state(trial.get_state()), trial)
    trial.save(str(tmp_path / "trial.json"))
    assert_same(kind.load(str(tmp_path / "trial.json")), trial)


def test_the_summary_tells_values_score_and_error(kt, capsys):
    trial = finished(kt, message="the whole\ntraceback\n")
    trial.score = 0.25
    trial.summary()
    out = capsys.readouterr().out
    for part in ("Trial 7 summary", "Hyperparameters:", "a: 3", "Score: 0.25"):
        assert part in out
    trial.status = "FAILED"
    trial.summary()
    assert "the whole\ntraceback\n" in capsys.readouterr().out


def test_statuses_are_texts_that_survive_a_message(kt):
    statuses = kt.engine.trial.TrialStatus
    names = ("RUNNING", "IDLE", "INVALID", "STOPPED", "COMPLETED", "FAILED")
    for name in (*names, None):
        status = None if name is None else getattr(statuses, name)
        assert status == name
        assert statuses.from_proto(statuses.to_proto(status)) == name
    with pytest.raises(ValueError, match="Unknown status"):
        statuses.to_proto("OTHER")
