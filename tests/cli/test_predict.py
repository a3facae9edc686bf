"""`kt-hpo predict` and `kt-hpo export` of a model, as a user runs them."""

import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tuned_wines import tuned, wines

from kt_hpo import cli


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("predict")
    frame = wines()
    frame.to_csv(folder / "wines.csv", index=False)
    frame.drop(columns="kind").head(30).to_csv(folder / "new.csv", index=False)
    frame.drop(columns="kind").to_parquet(folder / "new.parquet", index=False)
    tuned(folder / "run", folder / "wines.csv", target="kind")
    return folder


@pytest.fixture(autouse=True)
def here(folder, monkeypatch):
    monkeypatch.chdir(folder)


def test_what_is_piped_is_csv(capsys):
    assert cli.main(["predict", "run", "new.csv"]) == cli.OK
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert lines[0] == "kind,probability bad,probability good" and len(lines) == 31
    assert not said.err


def test_a_terminal_has_a_short_table(capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert cli.main(["predict", "run/best_model.keras", "new.csv"]) == cli.OK
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 22 and "and 10 more; --output" in lines[-1]


@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet"])
def test_all_are_written_and_what_is_not_looked_at_is_said(suffix, capsys, tmp_path):
    output = tmp_path / f"predictions.{suffix}"
    assert cli.main(["predict", "run", "wines.csv", "--output", str(output)]) == cli.OK
    said = capsys.readouterr()
    assert said.err == "kt-hpo: Not looked at in wines.csv: 'kind'.\n"
    assert f"Wrote 120 predictions to {output}" in said.out
    readers = {"csv": pd.read_csv, "tsv": pd.read_table, "parquet": pd.read_parquet}
    found = readers[suffix](output)
    assert len(found) == 120 and set(found["kind"]) <= {"good", "bad"}


def test_parquet_is_predicted_as_csv_is(capsys):
    assert cli.main(["predict", "run", "new.parquet"]) == cli.OK
    whole = capsys.readouterr().out.splitlines()
    assert cli.main(["predict", "run", "new.csv"]) == cli.OK
    some = capsys.readouterr().out.splitlines()
    first, second = (
        np.array([line.split(",")[1:] for line in lines[1:31]], float) for lines in (whole, some)
    )
    np.testing.assert_allclose(first, second, atol=1e-4)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere", "new.csv"], "no search nowhere"),
        (["run", "nowhere.csv"], "no file or folder nowhere.csv"),
        (["run", "wrong.csv"], "Did you mean 'acids'?"),
        (["run", "."], "give a table"),
        (["run", "new.csv", "--output", "predictions.xlsx"], "--output predictions.xlsx"),
        (["new.csv", "new.csv"], "new.csv"),
    ],
)
def test_a_mistake_is_one_line(arguments, words, folder, capsys):
    wines().rename(columns={"acid": "acids"}).to_csv(folder / "wrong.csv", index=False)
    assert cli.main(["predict", *arguments]) in (cli.USAGE, cli.FAILED)
    said = capsys.readouterr()
    assert said.err.startswith("kt-hpo: ") and words in said.err and not said.out
    assert len(said.err.splitlines()) == 1


@pytest.mark.slow
def test_a_folder_of_images_is_predicted_each_by_its_name(tmp_path, capsys):
    stream = np.random.default_rng(0)
    for kind in ("cat", "dog"):
        (tmp_path / "pets" / kind).mkdir(parents=True)
        for number in range(12):
            pixels = stream.integers(0, 256, (8, 8, 3)).astype("uint8")
            Image.fromarray(pixels).save(tmp_path / "pets" / kind / f"{number}.png")
    (tmp_path / "new").mkdir()
    Image.fromarray(pixels).save(tmp_path / "new" / "one.png")
    Image.fromarray(pixels).resize((20, 10)).save(tmp_path / "new" / "two.png")
    tuned(tmp_path / "run", tmp_path / "pets", "mlp")
    assert cli.main(["predict", str(tmp_path / "run"), str(tmp_path / "new")]) == cli.OK
    said = capsys.readouterr()
    rows = [line.split(",") for line in said.out.splitlines()]
    assert rows[0] == ["file", "class", "probability cat", "probability dog"]
    assert [row[0] for row in rows[1:]] == [
        str(tmp_path / "new" / f"{n}.png") for n in ("one", "two")
    ]
    assert "1 of 2 images had another size" in said.err


@pytest.mark.slow
def test_texts_are_predicted_from_lines_and_tables(tmp_path, capsys):
    frame = pd.DataFrame(
        {"review": [f"a {word} film with actors number {n}" for n in range(60)
                    for word in ("good", "bad")], "liked": ["yes", "no"] * 60}
    )  # fmt: skip
    tuned(tmp_path / "run", frame, "sequence", target="liked")
    (tmp_path / "new.txt").write_text("a good film\n\na bad film\n")
    frame.head(5).to_csv(tmp_path / "new.csv", index=False)
    for name, count in (("new.txt", 2), ("new.csv", 5)):
        assert cli.main(["predict", str(tmp_path / "run"), str(tmp_path / name)]) == cli.OK
        lines = capsys.readouterr().out.splitlines()
        assert lines[0] == "liked,probability no,probability yes" and len(lines) == count + 1


def test_an_array_is_predicted_from_npy_and_a_table_of_numbers(tmp_path, capsys):
    x = np.random.default_rng(0).normal(size=(80, 3))
    tuned(tmp_path / "run", (x, x[:, 0] > 0))
    np.save(tmp_path / "new.npy", x[:4])
    pd.DataFrame(x[:4], columns=list("abc")).to_csv(tmp_path / "new.csv", index=False)
    pd.DataFrame({"a": ["x"]}).to_csv(tmp_path / "wrong.csv", index=False)
    shown = []
    for name in ("new.npy", "new.csv"):
        assert cli.main(["predict", str(tmp_path / "run"), str(tmp_path / name)]) == cli.OK
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1] and shown[0].startswith("class,probability False")
    assert cli.main(["predict", str(tmp_path / "run"), str(tmp_path / "wrong.csv")]) == cli.USAGE
    assert "is no number" in capsys.readouterr().err


def test_the_model_is_exported_beside_the_search(folder, capsys):
    assert cli.main(["export", "run", "--format", "keras"]) == cli.OK
    assert capsys.readouterr().out == "Wrote run/model.keras\n"
    assert (folder / "run" / "model.keras.json").is_file()
    assert cli.main(["export", "run", "--format", "onnx"]) == cli.USAGE
    assert "'grape' are texts" in capsys.readouterr().err
