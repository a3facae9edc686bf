"""Starts Ray on this machine, or connects to a cluster, quietly."""

from __future__ import annotations

import logging
import math
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import ray

from kt_hpo.execution.processes import devices

_SHORT = Path("/tmp")
_AUTHENTICATION = "RAY_AUTH_MODE"
_CONNECTIONS = 5
_VARIABLES = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # By itself, Ray has its workers wait for everything else on the machine.
    "RAY_worker_niceness": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    # Ray starts programs from processes with threads of gRPC's, which abort some of them.
    "GRPC_ENABLE_FORK_SUPPORT": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_WARN_THRESHOLD_S": "3600",
}


@contextmanager
def connected(
    address: str | None, num_workers: int, resources: Mapping[str, float], project_dir: Path
) -> Iterator[None]:
    """Connects this process with Ray, unless it is already.

    Args:
        address: The address of a cluster, as `ray.init` takes it; None for a Ray of this search's
            own, on this machine, if `RAY_ADDRESS` names none.
        num_workers: How many trials are to run at once.
        resources: What each needs.
        project_dir: The search's folder, where the logs of a Ray of its own are.

    Yields:
        Nothing, while Ray is there.

    Raises:
        ValueError: If this machine has too few GPUs, or Ray would start without authentication.
        ConnectionError: If there is no cluster at the address.
    """
    with _environment(_VARIABLES), _quiet_logger("ray"):
        if ray.is_initialized():
            yield
            return
        with ExitStack() as stack:
            if address is None and not os.environ.get("RAY_ADDRESS"):
                _check_authentication()
                stack.enter_context(_own_ray(num_workers, resources, project_dir))
            else:
                _connect(address)
            stack.callback(ray.shutdown)
            yield


def _connect(address: str | None) -> None:
    for attempt in range(1, _CONNECTIONS + 1):
        try:
            ray.init(
                address or "auto",
                log_to_driver=True,
                logging_level=logging.CRITICAL,
                # Of a client, Ray Tune's loop runs on the head.
                runtime_env={"env_vars": {name: os.environ[name] for name in _VARIABLES}},
            )
            return
        except ConnectionError as error:
            ray.shutdown()  # Else this process stays a client, of nobody.
            # A head cannot always start the server of a client (Ray's issue 63202).
            if "Starting Ray client server failed" not in str(error) or attempt == _CONNECTIONS:
                raise ConnectionError(
                    f"There is no Ray at address={address!r}, or it asks for a token and "
                    f"{_AUTHENTICATION}=token is not set here: {error}. Start one with "
                    "`ray start --head`, or leave address= out for one on this machine, for this "
                    "search alone."
                ) from error


@contextmanager
def _own_ray(num_workers: int, resources: Mapping[str, float], project_dir: Path) -> Iterator[None]:
    """Starts Ray, its logs in the search's folder."""
    _check_gpus(num_workers, resources)
    logs = project_dir / "ray"
    shutil.rmtree(logs, ignore_errors=True)
    logs.mkdir(parents=True)
    # Names of sockets may have a hundred characters, and those of folders often do.
    with tempfile.TemporaryDirectory(
        prefix="ray", dir=_SHORT if _SHORT.is_dir() else None
    ) as short:
        link = Path(short) / "r"
        link.symlink_to(logs.absolute())
        cores = math.ceil(num_workers * resources.get("CPU", 0))
        ray.init(
            "local",
            num_cpus=max(devices.count_cores(), cores),
            resources={name: num_workers * amount for name, amount in _custom(resources).items()},
            include_dashboard=False,
            log_to_driver=True,
            logging_level=logging.CRITICAL,
            _temp_dir=str(link),
        )
        yield
    (logs / "session_latest").unlink(missing_ok=True)
    for left in logs.glob("session_*/*"):
        if left.name != "logs":
            left.unlink() if left.is_file() else shutil.rmtree(left, ignore_errors=True)


def _custom(resources: Mapping[str, float]) -> dict[str, float]:
    return {name: amount for name, amount in resources.items() if name not in ("CPU", "GPU")}


def _check_authentication() -> None:
    mode = os.environ.get(_AUTHENTICATION, "token")
    if mode.lower() != "token":
        raise ValueError(
            f"{_AUTHENTICATION}={mode} is set, and Ray listens on all interfaces of this machine: "
            "anyone who reaches them could run code here. Unset it, or set it to token, Ray's "
            "default; or search with executor=kt_hpo.Workers(...), which listens nowhere."
        )


def _check_gpus(num_workers: int, resources: Mapping[str, float]) -> None:
    each, there = resources.get("GPU", 0), len(devices.gpus())
    if each and num_workers * each > there:
        raise ValueError(
            f"{num_workers} workers with resources={dict(resources)} need "
            f"{num_workers * each:g} GPUs, and this machine has {there}. Give Ray(...) fewer "
            "workers, a smaller part of a GPU, or the address= of a cluster that has them."
        )


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Sets variables that are not set, for a while."""
    added = {name: value for name, value in variables.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


@contextmanager
def _quiet_logger(name: str) -> Iterator[None]:
    """Silences what Ray says of trials that fail: the search says it, and the record keeps it."""
    logger: Any = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
