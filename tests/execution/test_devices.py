"""Who gets which cores and GPUs, told from what the system says."""

import pytest

from kt_hpo.execution.processes import devices
from kt_hpo.execution.processes.devices import Gpu

FOUR = [Gpu(str(number), 10_000) for number in range(4)]


def visible(*arguments):
    return [share.environment.get("CUDA_VISIBLE_DEVICES") for share in devices.shares(*arguments)]


@pytest.mark.parametrize(
    ("workers", "each", "there", "expected"),
    [
        (2, 1, FOUR, ["0", "1"]),
        (2, 2, FOUR, ["0,1", "2,3"]),
        (3, 0.5, FOUR, ["0", "0", "1"]),
        (3, 1 / 3, FOUR, ["0", "0", "0"]),
        (2, 0, FOUR, ["-1", "-1"]),
        (2, None, FOUR, ["0,1", "2,3"]),
        (6, None, FOUR, ["0", "0", "1", "1", "2", "2"]),
        (2, None, [], [None, None]),
        (2, 0, [], [None, None]),
    ],
)
def test_gpus_are_divided(workers, each, there, expected):
    assert visible(workers, each, there) == expected


@pytest.mark.parametrize(
    ("workers", "each", "there"), [(5, 1, FOUR), (3, 2, FOUR), (9, 0.5, FOUR), (1, 1, [])]
)
def test_too_few_gpus_are_refused(workers, each, there):
    with pytest.raises(ValueError, match=f"there are {len(there)}"):
        devices.shares(workers, each, there)


def test_only_who_shares_a_gpu_is_limited():
    assert [share.gpu_memory for share in devices.shares(2, 1, FOUR)] == [None, None]
    assert [share.gpu_memory for share in devices.shares(2, 0.25, FOUR)] == [2250, 2250]


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine whose driver lists two GPUs."""
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho '0, GPU-aa, 16000'\necho '1, GPU-bb, [N/A]'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return monkeypatch


def test_all_gpus_of_a_machine_are_found(machine):
    assert devices.gpus() == [Gpu("0", 16_000), Gpu("1", None)]


@pytest.mark.parametrize(
    ("variable", "expected"),
    [
        ("1", [Gpu("1", None)]),
        ("GPU-aa", [Gpu("GPU-aa", 16_000)]),
        ("MIG-cc, 0", [Gpu("MIG-cc"), Gpu("0", 16_000)]),
        ("", []),
        ("-1", []),
    ],
)
def test_only_visible_gpus_are_used(machine, variable, expected):
    machine.setenv("CUDA_VISIBLE_DEVICES", variable)
    assert devices.gpus() == expected


def test_cores_are_divided_and_what_a_user_has_set_stays(monkeypatch):
    monkeypatch.delenv("TF_NUM_INTRAOP_THREADS", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    threads = devices.threads(devices.count_cores())
    assert threads["TF_NUM_INTRAOP_THREADS"] == "1" and "OMP_NUM_THREADS" not in threads
