"""What Keras Tuner's environment variables are taken for."""

import pytest
from models import build

import kt_hpo
from kt_hpo.execution.distributed import current_cluster

ROLE = {
    "KERASTUNER_ORACLE_IP": "127.0.0.1",
    "KERASTUNER_ORACLE_PORT": "8000",
    "KERASTUNER_TUNER_ID": "tuner0",
}


@pytest.fixture
def variables(monkeypatch):
    for name, value in ROLE.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.mark.parametrize("missing", ["KERASTUNER_ORACLE_PORT", "KERASTUNER_TUNER_ID"])
def test_one_variable_asks_for_the_others(missing, variables):
    variables.delenv(missing)
    with pytest.raises(ValueError, match=missing):
        kt_hpo.RandomSearch(build, "val_loss")


@pytest.mark.parametrize("port", ["", "http", "0", "65536", "-1"])
def test_a_port_is_a_number(port, variables):
    variables.setenv("KERASTUNER_ORACLE_PORT", port)
    with pytest.raises(ValueError, match="KERASTUNER_ORACLE_PORT"):
        current_cluster()


def test_executor_and_variables_contradict_each_other(variables, tmp_path):
    with pytest.raises(ValueError, match="both say where trials run"):
        kt_hpo.RandomSearch(build, "val_loss", executor=2, directory=tmp_path)


def test_a_worker_writes_and_deletes_nothing(variables, tmp_path):
    kept = tmp_path / "search" / "record.journal"
    kept.parent.mkdir()
    kept.write_text("the chief's")
    kt_hpo.RandomSearch(
        build, "val_loss", directory=tmp_path, project_name="search", overwrite=True
    )
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [kept]
    assert kept.read_text() == "the chief's"
