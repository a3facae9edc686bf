import importlib
import subprocess
import sys

import numpy as np
import pytest
import yaml
from models import everything

import kt_hpo
from kt_hpo.integrations.wandb.sweeps import (
    check_parameters,
    objective_of,
    parameters_of,
    read_values,
    sweep_config,
)
from kt_hpo.space import domain
from kt_hpo.space.hyperparameters import HyperParameters


@pytest.fixture(scope="module")
def sweeps(tmp_path_factory):
    """W&B's open engine: it declares numpy < 2, but runs on later ones."""
    folder = tmp_path_factory.mktemp("sweeps")
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(folder)]
    installed = subprocess.run([*pip, "sweeps==0.3.0", "jsonref"], capture_output=True)
    if installed.returncode:
        pytest.skip("The package `sweeps` cannot be installed here.")
    sys.path.append(str(folder))
    yield importlib.import_module("sweeps")
    sys.path.remove(str(folder))


def test_each_kind_has_its_distribution():
    config = sweep_config(everything, "random", "val_accuracy", name="all")
    assert config["metric"] == {"name": "val_accuracy", "goal": "maximize"}
    assert config["name"] == "all"
    assert config["parameters"] == {
        "layer_1_kind": {"values": ["a", "b"]},
        "units": {"distribution": "int_uniform", "min": 1, "max": 64},
        "units__layer_1_kind_b_": {
            "distribution": "q_log_uniform_values",
            "min": 32,
            "max": 512,
            "q": 1,
        },
        "stepped": {"values": [10, 30, 50]},
        "dropout": {"distribution": "uniform", "min": 0.0, "max": 1.0},
        "rate": {"distribution": "log_uniform_values", "min": 1e-4, "max": 1e-1},
        "tenths": {"values": [0.0, 0.1, 0.2, 0.3]},
        "reverse": {"distribution": "uniform", "min": 0.1, "max": 1.0},
        "flag": {"values": [True, False]},
        "sizes": {"values": [16, 32]},
        "fixed": {"value": 3},
        "single": {"value": 4},
    }


def test_in_a_grid_everything_is_a_list():
    parameters = sweep_config(everything, "grid")["parameters"]
    assert all({"values", "value"} & parameter.keys() for parameter in parameters.values())
    assert len(parameters["rate"]["values"]) == 10


@pytest.mark.parametrize("early", [None, "hyperband", {"type": "hyperband", "max_iter": 9, "s": 2}])
@pytest.mark.parametrize("method", ["random", "grid", "bayes"])
def test_an_exported_sweep_is_valid_in_wandbs_own_schema(sweeps, method, early):
    config = sweep_config(everything, method, early_terminate=early, run_cap=10)
    assert yaml.safe_load(yaml.safe_dump(config)) == config
    assert sweeps.schema_violations_from_proposed_config(config) == []


@pytest.mark.parametrize("method", ["random", "grid", "bayes"])
def test_wandbs_own_engine_searches_an_exported_sweep(sweeps, method):
    def small(hp):
        x = hp.Float("x", -1, 1)
        hp.Int("units", 1, 100, sampling="log")
        hp.Boolean("wide")
        with hp.conditional_scope("wide", [True]):
            hp.Choice("width", [8, 16])
        return x

    config = sweeps.SweepConfig(sweep_config(small, method, "val_loss"))
    known = domain.explore(small, HyperParameters())
    np.random.seed(0)
    runs, values = [], []
    for number in range(12):
        suggested = sweeps.next_run(config, runs)
        given = {name: entry["value"] for name, entry in suggested.config.items()}
        values.append(read_values(known, given))
        domain.check_values(known, values[-1])
        assert ("width" in values[-1]) == values[-1]["wide"]
        loss = values[-1]["x"] ** 2
        runs.append(
            sweeps.SweepRun(
                name=str(number),
                state="finished",
                config=suggested.config,
                summaryMetrics={"val_loss": loss},
                history=[{"val_loss": loss}],
            )
        )
    assert len({tuple(sorted(one.items())) for one in values}) > 6


def test_hyperband_stops_the_worse_runs_of_an_exported_sweep(sweeps):
    config = sweeps.SweepConfig(
        sweep_config(everything, "random", early_terminate={"type": "hyperband", "min_iter": 2})
    )
    runs = [
        sweeps.SweepRun(
            name=str(number),
            state="running",
            history=[{"val_loss": float(number)}] * 3,
            summaryMetrics={"val_loss": float(number)},
        )
        for number in range(9)
    ]
    stopped = {run.name for run in sweeps.stop_runs(config, runs)}
    assert stopped and "0" not in stopped


def test_values_come_back_with_their_types_and_without_the_inactive():
    known = domain.explore(everything, HyperParameters())
    config = {"layer_1_kind": "b", "units": 3, "units__layer_1_kind_b_": 64.0, "dropout": 1}
    config |= {"flag": 1, "sizes": 32.0, "fixed": 3}
    values = read_values(known, config)
    assert values["units"] == 64 and isinstance(values["units"], int)
    assert values["dropout"] == 1.0 and isinstance(values["dropout"], float)
    assert values["flag"] is True
    assert values["rate"] == pytest.approx(1e-4)  # Its default: the sweep does not say.
    with pytest.raises(ValueError, match="sizes=7 is not allowed"):
        read_values(known, config | {"sizes": 7})


def test_names_that_would_be_the_same_stay_apart():
    hp = HyperParameters()
    for name in ("a b", "a/b", "1", "a.b-c"):
        hp.Boolean(name)
    assert list(parameters_of(hp)) == ["a_b", "a_b_2", "_1", "a.b-c"]


def test_a_sweep_of_another_hypermodel_is_refused():
    known = domain.explore(everything, HyperParameters())
    with pytest.raises(ValueError, match=r"'unit', which is no hyperparameter.*mean 'units'"):
        check_parameters(known, {"parameters": {"unit": {"value": 3}}})


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"method": "baye"}, "Did you mean 'bayes'"),
        ({"objective": ["val_loss", "parameters"]}, "one metric"),
        ({"early_terminate": "median"}, 'give "hyperband" or a dict'),
        ({"early_terminate": {"type": "hyperband"}}, "give min_iter"),
    ],
)
def test_mistakes_are_told(kwargs, message):
    with pytest.raises(ValueError, match=message):
        sweep_config(everything, **kwargs)


def test_a_hypermodel_without_hyperparameters_has_no_sweep():
    with pytest.raises(ValueError, match="nothing to sweep"):
        sweep_config(lambda hp: None)


def test_the_package_has_its_functions():
    assert {"agent", "import_sweep", "sweep_config"} <= set(dir(kt_hpo.wandb))


def test_a_sweep_without_a_goal_is_read_by_the_name_of_its_metric():
    def direction(**metric):
        return objective_of({"metric": metric}).direction

    assert direction(name="val_f1_score") == "max"
    assert direction(name="val_f1_score", goal="minimize") == "min"
    with pytest.warns(UserWarning, match="has no goal.*'fitness'.*goal: maximize"):
        assert direction(name="fitness") == "min"
