import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import keras
import pytest
import tensorflow as tf
from models import blobs, build, eager

import kt_hpo
from kt_hpo.training.distribution import check_distribution, make_strategy

ROOT = Path(kt_hpo.__file__).parent.parent

# Searches by Hyperband, which goes on with trials, on one device and on two.
PROGRAM = """
import json, sys
sys.path[:0] = [{tests!r}, {root!r}]
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import kt_hpo
from models import blobs, build
from searches import UntilPromoted
found = []
for distribution in ("one_device", "mirrored"):
    tuner = UntilPromoted(
        build, "val_loss", max_epochs=2, factor=2, seed=0, directory={directory!r},
        project_name=distribution, distribution=distribution, executor=kt_hpo.Inline(),
    )
    strategy = tuner.distribution_strategy
    replicas = strategy.num_replicas_in_sync if strategy else 1
    tuner.search(*blobs(), validation_split=0.25, batch_size=30, verbose=0)
    model = tuner.get_best_models()[0]
    loss = model.evaluate(*blobs(), verbose=0)[0]
    found.append([replicas, loss, [t.user_attrs["history"] for t in tuner.study.trials]])
print(json.dumps(found))
"""


@pytest.mark.slow
def test_two_devices_give_the_losses_of_one(tmp_path):
    import json

    tests = str(ROOT / "tests")
    program = PROGRAM.format(root=str(ROOT), tests=tests, directory=str(tmp_path))
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    one, two = json.loads(ended.stdout.splitlines()[-1])
    assert (one[0], two[0]) == (1, 2)
    assert two[1] == pytest.approx(one[1], rel=1e-4)
    assert len(two[2]) == len(one[2]) == 3
    for ours, theirs in zip(two[2], one[2], strict=True):
        assert ours[0]["epoch"] == theirs[0]["epoch"]
        for name in ("loss", "val_loss"):
            assert ours[0][name] == pytest.approx(theirs[0][name], rel=1e-4)


# Fails as it is: should this end well, `multi_worker` can be supported.
WORKER = """
import json, os, sys
rank, ports = int(sys.argv[1]), json.loads(sys.argv[2])
cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
task = {"type": "worker", "index": rank}
os.environ["TF_CONFIG"] = json.dumps({"cluster": cluster, "task": task})
import tensorflow as tf
strategy = tf.distribute.MultiWorkerMirroredStrategy()
import keras, numpy as np
with strategy.scope():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
print("ready", flush=True)
try:
    model.fit(np.ones((8, 4)), np.ones(8), verbose=0)
except ValueError as error:
    print("PerReplica" in str(error), flush=True)
    os._exit(1)
os._exit(0)
"""


@pytest.mark.slow
def test_keras_still_does_not_train_on_several_machines():
    """What the error message of `distribution="multi_worker"` says, held against Keras."""
    import json
    import socket

    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    ports = json.dumps([one.getsockname()[1] for one in sockets])
    for one in sockets:
        one.close()
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(rank), ports],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        for worker in workers:
            assert worker.communicate(timeout=120)[0] == "ready\nTrue\n"
            assert worker.returncode == 1
    finally:
        for worker in workers:
            worker.kill()


def test_what_keras_cannot_do_says_what_can():
    for name in ("multi_worker", "parameter_server"):
        with pytest.raises(ValueError, match=r"(?s)Keras 3.*'mirrored'.*Workers.*JAX"):
            check_distribution(name)
    fake = type("MultiWorkerMirroredStrategy", (), {"scope": None})
    with pytest.raises(ValueError, match="MultiWorkerMirroredStrategy"):
        check_distribution(fake())
    with pytest.raises(ValueError, match="Did you mean 'mirrored'"):
        check_distribution("miror")
    with pytest.raises(ValueError, match="neither"):
        check_distribution(3)
    with pytest.raises(ValueError, match="several devices"):
        make_strategy("mirrored")


def test_auto_mirrors_over_several_gpus_where_trials_have_them_for_themselves(monkeypatch):
    made = []
    gpus = [SimpleNamespace(name=f"/device:GPU:{number}") for number in range(2)]
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: gpus)
    monkeypatch.setattr(tf.distribute, "MirroredStrategy", lambda devices: made.append(devices))
    assert make_strategy("auto", one_at_a_time=False) is None
    assert not made
    make_strategy("auto")
    assert made == [["/device:GPU:0", "/device:GPU:1"]]
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: gpus[:1])
    assert make_strategy("auto") is None


def test_a_strategy_of_the_users_is_taken(tmp_path):
    strategy = tf.distribute.OneDeviceStrategy("/cpu:0")
    tuner = kt_hpo.RandomSearch(
        eager, "val_loss", max_trials=1, directory=tmp_path, distribution=strategy
    )
    tuner.search(*blobs(60), validation_split=0.25, verbose=0)
    assert tuner.load_model(tuner.oracle.trials["0000"]).distribute_strategy is strategy
    with pytest.raises(ValueError, match="distribution_strategy"):
        kt_hpo.RandomSearch(
            build, "val_loss", directory=tmp_path, distribution="auto",
            distribution_strategy=strategy,
        )  # fmt: skip
    assert keras.backend.backend() == "tensorflow"
