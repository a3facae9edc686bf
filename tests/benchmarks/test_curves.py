import dataclasses

import numpy as np
import pytest

import kt_hpo
from benchmarks.curves import data, make, models, plans, table
from benchmarks.spaces import Dimension, Space

SPACE = Space(
    (
        Dimension("optimizer", ("adam", "sgd"), ordered=False),
        Dimension("batch_size", (32, 128)),
        Dimension("learning_rate", (1e-3, 1e-2, 1e-1)),
        Dimension("dropout", (0.1, 0.3)),
    )
)


def test_every_configuration_has_a_row_of_its_own():
    rows = [SPACE.row(values) for values in SPACE]
    assert rows == list(range(24)) == list(range(len(SPACE)))
    assert list(SPACE)[23] == {
        "optimizer": "sgd", "batch_size": 128, "learning_rate": 0.1, "dropout": 0.3,
    }  # fmt: skip


def test_keras_tuner_is_asked_for_the_values_by_choices():
    hp = SPACE.hyperparameters()
    assert [(type(one).__name__, one.name, tuple(one.values)) for one in hp.space] == [
        ("Choice", one.name, one.levels) for one in SPACE.dimensions
    ]
    assert SPACE.row(hp.values) == 0
    with pytest.raises(ValueError, match="lion"):
        SPACE.row({**hp.values, "optimizer": "lion"})


def test_a_dimension_that_is_not_there_makes_no_rows():
    space = Space(
        (
            Dimension("layers", (1, 2, 3)),
            Dimension("rate", (0.1, 0.2)),
            Dimension("units_2", (8, 16), when=("layers", (2, 3))),
            Dimension("units_3", (4, 8, 16), when=("layers", (3,))),
        )
    )
    assert len(space) == 2 * (1 + 2 + 2 * 3)
    assert [space.row(values) for values in space] == list(range(18))
    assert space.row({"layers": 1, "rate": 0.1, "units_2": 16, "units_3": 4}) == 0
    hp = space.hyperparameters()
    assert hp.values == {"layers": 1, "rate": 0.1}
    hp.values["layers"] = 2
    assert [one.name for one in hp.space if hp.is_active(one)] == ["layers", "rate", "units_2"]


@pytest.mark.parametrize("name", plans.PLANS)
def test_pieces_follow_the_rows_of_the_table(name):
    plan = plans.PLANS[name]
    pieces = list(make.pieces(name))
    made = [values for one in pieces for values in one.configurations]
    assert [plan.space.row(values) for values in made] == list(range(len(plan.space)))
    for one in pieces:
        shapes = {tuple(map(values.get, plan.shapes)) for values in one.configurations}
        assert len(shapes) == 1
    assert len({one.file for one in pieces}) == len(pieces)


def test_the_tables_are_as_large_as_they_should_be():
    sizes = {name: len(plan.space) for name, plan in plans.PLANS.items()}
    assert sizes["digits_mlp"] > 2000 and sizes["mnist5k_mlp"] > 2000
    assert min(sizes.values()) > 400, "fifty trials are no large part of them"
    assert max(table.path_of(name).stat().st_size for name in table.there()) < 1e6


@pytest.mark.parametrize("name", data.MADE)
def test_data_are_the_same_whenever_they_are_made(name):
    once, again = data.load(name), data.load(name)
    for (x, y), (same_x, same_y) in zip(once, again, strict=True):
        assert len(x) == len(y) and np.isfinite(x).all() and np.isfinite(y).all()
        assert np.array_equal(x, same_x) and np.array_equal(y, same_y)
    assert len(once.train[0]) > len(once.validation[0]) > 100


def test_half_of_the_labels_are_wrong_where_they_are_drawn_and_none_in_validation():
    right, _, _ = kt_hpo.datasets.load("digits", validation=0.4, test=0)
    (x, y), (_, held) = data.load("mislabeled_digits")
    assert np.array_equal(x, right.arrays[0])
    assert 0.4 < (y.argmax(axis=1) != right.arrays[1]).mean() < 0.5
    assert (held.sum(axis=1) == 1).all()


def test_what_is_to_be_foretold_is_in_no_window_to_train_on():
    (x, y), (held_x, held_y) = data.load("weather")
    assert not np.isin(np.round(held_y, 6), np.round(y, 6)).mean() > 0.05
    assert not np.isin(held_x[0], x).any()


@pytest.mark.parametrize("name", table.there())
def test_a_table_holds_curves_of_every_configuration(name):
    plan, read = plans.PLANS[name], table.read(name)
    assert read.error.shape[1:] == (len(plan.space), plan.epochs) == read.loss.shape[1:]
    assert len(read.error) == plan.seeds
    assert read.error.min() >= 0 and read.error.max() <= 1
    assert (read.seconds > 0).all() and read.seconds.shape == (len(plan.space),)
    best = read.error.min(axis=2).mean(axis=0)
    assert best.min() < 0.6 * best.max()
    # Better ends have better beginnings, as a pruner hopes.
    assert np.corrcoef(read.error[0, :, 4], read.error[0, :, -1])[0, 1] > 0.5


def test_a_table_that_is_not_made_says_how_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr(table, "path_of", lambda name: tmp_path / f"{name}.npz")
    with pytest.raises(FileNotFoundError, match="make curves"):
        table.read("digits_mlp")


@pytest.mark.slow
def test_a_piece_is_trained_and_packed(tmp_path, monkeypatch):
    plan = plans.Plan(
        "a dense layer", "digits", SPACE, ("optimizer", "batch_size"), _model, epochs=2, seeds=2
    )
    monkeypatch.setitem(plans.PLANS, "small", plan)
    monkeypatch.setattr(make, "PIECES", tmp_path / "pieces")
    for module in (make, table):
        monkeypatch.setattr(module, "path_of", lambda name: tmp_path / f"{name}.npz")
    first, *others = make.pieces("small")
    make.train(first)
    assert not make.pack("small"), "pieces are missing"
    for piece in others:
        piece.file.write_bytes(first.file.read_bytes())
    assert make.pack("small")
    read = table.read("small")
    assert read.error.shape == read.loss.shape == (2, 24, 2)
    assert not np.array_equal(read.error[0], read.error[1])
    assert read.seconds.shape == (24,) and (read.seconds > 0).all()
    assert np.array_equal(read.error[0, :6], read.error[0, 6:12])
    assert read.error[0, 0, 1] < 0.95


@pytest.mark.slow
def test_trainings_that_become_nan_are_lost_and_the_others_kept(tmp_path, monkeypatch):
    space = Space((Dimension("learning_rate", (1e-2, 1e30, 1e32, 1e34, 1e36)),
                   Dimension("batch_size", (128,))))  # fmt: skip

    def build(levels):
        return models.mlp((8, 8, 1))(
            {**levels, "optimizer": "sgd", "units": 8, "dropout": 0.1, "weight_decay": 1e-3}
        )

    plan = plans.Plan("a dense layer", "digits", space, ("batch_size",), build, epochs=2, seeds=1)
    monkeypatch.setitem(plans.PLANS, "wild", plan)
    monkeypatch.setattr(make, "PIECES", tmp_path / "pieces")
    [piece] = make.pieces("wild")
    make.train(piece)
    with np.load(piece.file) as kept:
        assert (kept["correct"][0, 0] > 0).all() and not kept["correct"][0, 1:].any()
        assert np.isfinite(kept["loss"][0]).all(axis=1).tolist() == [True] + [False] * 4


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [name for name, plan in plans.PLANS.items() if plan.metric == "mae"]
)
def test_a_regression_is_trained_without_answers_to_count(name, tmp_path, monkeypatch):
    monkeypatch.setattr(make, "PIECES", tmp_path)
    plan = dataclasses.replace(plans.PLANS[name], epochs=2, seeds=1)
    monkeypatch.setitem(plans.PLANS, name, plan)
    piece = next(make.pieces(name))
    piece = piece._replace(configurations=piece.configurations[:5])
    make.train(piece)
    with np.load(piece.file) as kept:
        assert "correct" not in kept and kept["error"].shape == (1, 5, 2)


def _model(levels):
    return models.mlp((8, 8, 1))({**levels, "units": 8, "weight_decay": 1e-3})
