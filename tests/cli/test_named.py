"""What a user names as `module:name`: data and models of their own."""

import numpy as np
import pandas as pd
import pytest

from kt_hpo import datasets
from kt_hpo.cli.data import load_data
from kt_hpo.datasets.given import to_splits
from kt_hpo.ready_models import make_hypermodel
from kt_hpo.targets import load_target, working_in

MODULE = """
import keras_tuner
import numpy as np

class Space(keras_tuner.HyperModel):
    def __init__(self, num_classes, input_shape, depth=2):
        super().__init__()
        self.known = num_classes, input_shape, depth

    def fit(self, hp, model, *args, **kwargs):
        return model.fit(*args, epochs=3, **kwargs)

class Needy(keras_tuner.HyperModel):
    def __init__(self, width):
        super().__init__()

made = Space(2, (4,))

def build(hp):
    return None

def load(seed):
    return np.full((20, 3), seed, "float32"), np.arange(20) % 2

def nothing():
    return None

number = 3
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    name = f"mine_{tmp_path.name}".replace("-", "_")
    (tmp_path / f"{name}.py").write_text(MODULE)
    (tmp_path / "broken_module.py").write_text("1 / 0\n")
    (tmp_path / "needs.py").write_text("import not_installed_anywhere\n")
    with working_in(tmp_path):
        yield name


@pytest.fixture(scope="module")
def train():
    x, y = np.zeros((20, 4), "float32"), np.arange(20) % 2
    return datasets.Dataset(x, y, "zeros", "classification", ("a", "b"))


def test_a_class_gets_what_it_asks_for(here, train):
    made = make_hypermodel(f"{here}:Space", train, 5)
    assert made.known == (2, (4,), 2)


def test_an_object_and_a_function_are_taken_as_they_are(here, train):
    assert make_hypermodel(f"{here}:made", train, 5).known == (2, (4,), 2)
    build = make_hypermodel(f"{here}:build", train, 5)
    assert build.__name__ == "build"
    assert callable(make_hypermodel(f"{here}:made.build", train, 5))


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("{}:Neady", "Did you mean 'Needy'?"),
        ("{}:Needy", "needs width"),
        ("{}:number", "is 3"),
        ("{}x:build", "Did you mean '{}'?"),
        ("broken_module:build", "ZeroDivisionError"),
        ("needs:build", "needs 'not_installed_anywhere'"),
    ],
)
def test_a_wrong_model_says_what_is_wrong(target, words, here, train):
    with pytest.raises(ValueError) as refused:
        make_hypermodel(target.format(here), train, 5)
    assert words.format(here) in str(refused.value)


def test_modules_are_found_where_the_search_is(here, tmp_path):
    assert load_target(f"{here}:number", "--model") == 3
    with pytest.raises(FileNotFoundError, match="--folder"), working_in(tmp_path / "gone"):
        pass


def test_a_function_loads_the_data(here):
    train, validation, test = load_data({"data": f"{here}:load", "seed": 3})
    assert [len(part) for part in (train, validation, test)] == [14, 3, 3]
    assert train.num_classes == 2
    for data, words in [("nothing", "NoneType"), ("number", "no function")]:
        with pytest.raises(ValueError, match=words):
            load_data({"data": f"{here}:{data}", "seed": 0})
    with pytest.raises(ValueError, match="target='y' means nothing"):
        load_data({"data": f"{here}:load", "seed": 0, "target": "y"})


def pair(samples, start=0):
    images = np.arange(start, start + samples)[:, None, None, None] * np.ones((1, 2, 2, 1))
    return images, np.arange(samples) % 2


def test_data_frames_are_tables_and_what_they_show_is_printed(here, monkeypatch, capsys):
    def frames():
        frame = pd.DataFrame({"home": ["yard", "sofa"] * 20, "unit": "cm"})
        return (frame, np.arange(40) % 2), (frame[:10], np.arange(10) % 2)

    train, _, test = to_splits(frames(), "pets", seed=0)
    assert len(test) == 10 and train.input_shape == (2,)
    assert [group.kind for group in train.preprocessing.groups] == ["category"]
    monkeypatch.setattr("kt_hpo.cli.data.load_target", lambda *_: frames)
    for verbose in (1, 0):
        load_data({"data": "my_module:frames", "seed": 0, "verbose": verbose})
        said = capsys.readouterr()
        assert ("Column 'unit' is 'cm' everywhere: it is left out." in said.out) == bool(verbose)
        assert not said.err


def test_pairs_stay_the_parts_they_are():
    train, validation, test = to_splits((pair(40), pair(10, 100)), "pairs", seed=0)
    assert (len(train), len(validation), len(test)) == (34, 6, 10)
    assert set(test.x[:, 0, 0, 0]) == set(range(100, 110))
    parts = to_splits((pair(40), pair(10, 100), pair(6, 200)), "pairs", seed=0)
    assert [len(part) for part in parts] == [40, 10, 6]
    assert parts.validation.x.min() == 100 and parts.test.x.min() == 200


def test_targets_in_a_column_are_taken():
    x, y = pair(40)
    splits = to_splits(((x, y[:, None]), (x, y[:, None])), "column", seed=0)
    assert splits.train.y.shape == (34,)


def test_a_frame_and_splits_are_taken():
    frame = pd.DataFrame({"size": range(20), "home": ["yard", "sofa"] * 10})
    splits = to_splits((frame, [0, 1] * 10), "frame", seed=0)
    assert splits.train.input_shape == (3,)
    assert to_splits(splits, "splits", seed=0) == splits
    regression = to_splits(pair(20), "numbers", 0, task="regression")
    assert regression.train.task == "regression"


@pytest.mark.parametrize(
    "made", [None, 3, (), (1, 2, 3), [(1, 2)], (pair(4),), ((1, 2, 3), (4, 5))]
)
def test_other_data_are_refused(made):
    with pytest.raises(ValueError, match=r"give arrays \(x, y\)"):
        to_splits(made, "wrong", seed=0)
