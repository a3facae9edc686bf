from pathlib import Path

import pytest
from models import blobs, build, eager
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import api_pb2, metadata

import kt_hpo

X, Y = blobs()


SETTINGS = {"objective": "val_loss", "seed": 0, "project_name": "t", "tracker": "tensorboard"}


def searched(tmp_path, hypermodel, **kwargs):
    settings = SETTINGS | {"max_trials": 2, "directory": tmp_path} | kwargs
    tuner = kt_hpo.RandomSearch(hypermodel, **settings)
    tuner.search(X, Y, validation_split=0.3, epochs=2, batch_size=200, verbose=0)
    return tuner


class Reporting(kt_hpo.RandomSearch):
    """Reports two epochs, without a model."""

    def run_trial(self, trial):
        x = trial.hyperparameters.Float("x", -1, 1)
        for epoch in range(2):
            self.report(trial, epoch, {"val_loss": x**2 / (epoch + 1)})
        if x > 0:
            raise RuntimeError("too large")
        return {"val_loss": x**2 / 2}


def reported(tmp_path, **kwargs):
    tuner = Reporting(directory=tmp_path, **SETTINGS | kwargs)
    tuner.search(verbose=0)
    return tuner


def read(folder):
    accumulator = EventAccumulator(str(folder))
    accumulator.Reload()
    return accumulator


def folder_of(tuner, number=None):
    folder = Path(tuner.project_dir) / "tensorboard"
    return folder if number is None else folder / f"{number:04d}"


def scalars(accumulator, tag):
    return [(event.step, event.tensor_proto.float_val[0]) for event in accumulator.Tensors(tag)]


def values_of(accumulator):
    content = accumulator.SummaryMetadata(metadata.SESSION_START_INFO_TAG).plugin_data.content
    info = metadata.parse_session_start_info_plugin_data(content)
    return {name: getattr(value, value.WhichOneof("kind")) for name, value in info.hparams.items()}


def status_of(accumulator):
    content = accumulator.SummaryMetadata(metadata.SESSION_END_INFO_TAG).plugin_data.content
    return metadata.parse_session_end_info_plugin_data(content).status


def experiment_of(tuner):
    content = read(folder_of(tuner)).SummaryMetadata(metadata.EXPERIMENT_TAG).plugin_data.content
    return metadata.parse_experiment_plugin_data(content)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("executor", "hypermodel"),
    [
        (kt_hpo.Inline(), eager),
        (kt_hpo.Vectorized(2), build),
        pytest.param(kt_hpo.Workers(1), eager, marks=pytest.mark.slow),
    ],
)
def test_a_run_a_trial_holds_what_the_record_holds(executor, hypermodel, tmp_path):
    tuner = searched(tmp_path, hypermodel, executor=executor)
    for trial in tuner.study.trials:
        run = read(folder_of(tuner, trial.number))
        (history,) = trial.user_attrs["history"]
        for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
            expected = list(enumerate(history[name]))
            assert scalars(run, name) == [(s, pytest.approx(v, rel=1e-6)) for s, v in expected]
        best = trial.user_attrs["best_epoch"]
        assert scalars(run, "best_epoch/val_loss") == [(best, pytest.approx(trial.value, rel=1e-6))]
        parameters = trial.user_attrs["parameters"]
        assert scalars(run, "best_epoch/parameters") == [(best, parameters)]
        assert scalars(run, "best_epoch/seconds")[0][1] > 0
        assert values_of(run) == trial.params
        assert status_of(run) == api_pb2.STATUS_SUCCESS


def test_the_table_shows_ranges_choices_and_the_objective(tmp_path):
    def conditional(hp):
        if hp.Choice("kind", ["a", "b"]) == "a":
            with hp.conditional_scope("kind", ["a"]):
                hp.Boolean("flag")
        return eager(hp)

    tuner = searched(tmp_path, conditional, max_trials=3)
    experiment = experiment_of(tuner)
    infos = {info.name: info for info in experiment.hparam_infos}
    assert set(infos) == {"kind", "flag", "units", "rate"}
    assert [value.string_value for value in infos["kind"].domain_discrete.values] == ["a", "b"]
    assert infos["flag"].type == api_pb2.DATA_TYPE_BOOL
    assert infos["units"].domain_interval.max_value == 32
    assert infos["rate"].domain_interval.min_value == pytest.approx(1e-4)
    tags = [metric.name.tag for metric in experiment.metric_infos]
    assert tags == ["best_epoch/val_loss", "best_epoch/parameters", "best_epoch/seconds"]
    for trial in tuner.study.trials:
        assert values_of(read(folder_of(tuner, trial.number))) == trial.params


def test_a_failed_trial_is_in_the_table_and_an_attempt_before_is_forgotten(tmp_path):
    space = kt_hpo.HyperParameters()
    space.Float("x", -1, 1)
    tuner = reported(tmp_path, hyperparameters=space, max_trials=4, max_retries_per_trial=1)
    states = [trial.state.name for trial in tuner.study.trials]
    assert set(states) == {"FAIL", "COMPLETE"}
    for trial in tuner.study.trials:
        folder = folder_of(tuner, trial.number)
        assert len(list(folder.iterdir())) == 1
        failed = trial.state.name == "FAIL"
        assert status_of(read(folder)) == (
            api_pb2.STATUS_FAILURE if failed else api_pb2.STATUS_SUCCESS
        )
        assert values_of(read(folder)) == trial.params


def test_a_search_that_goes_on_keeps_the_runs_there_are_and_the_files_of_others(tmp_path):
    tuner = reported(tmp_path, max_trials=1)
    strange = folder_of(tuner, 0) / "events.out.tfevents.1.other"
    strange.touch()
    tuner = reported(tmp_path, max_trials=2)
    runs = [read(folder_of(tuner, number)) for number in range(2)]
    assert [len(scalars(run, "val_loss")) for run in runs] == [2, 2]
    assert len(list(folder_of(tuner).glob("events*"))) == 1
    assert strange.exists()


def test_hyperparameters_that_a_trial_meets_are_in_the_table(tmp_path):
    tuner = reported(tmp_path, max_trials=2)
    assert [info.name for info in experiment_of(tuner).hparam_infos] == ["x"]
    run = read(folder_of(tuner, 1))
    assert values_of(run) == tuner.study.trials[1].params
    assert [step for step, _ in scalars(run, "val_loss")] == [0, 1]
