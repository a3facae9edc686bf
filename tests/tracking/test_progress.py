"""What a search's progress shows in a pipe, in a terminal and in a notebook."""

import io
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from kt_hpo.formatting import clock, short, values_in_words
from kt_hpo.tracking import BestSoFar, Counts, Progress, make_progress
from kt_hpo.tracking.plain import PlainDisplay
from kt_hpo.tracking.progress_state import ProgressState
from kt_hpo.tracking.terminal import TerminalDisplay

ROOT = Path(__file__).parents[2]
SEARCH = """
import time
from kt_hpo.tracking import BestSoFar, Counts, make_progress

progress = make_progress("auto", "val_accuracy", "max")
progress.start(6, Counts(complete=1, failed=1))
for number, state in [(2, "COMPLETE"), (3, "PRUNED"), (4, "FAIL")]:
    progress.trial_started(number, {"[bold]units": 64, "<b>": 0.123456789})
    progress.epoch(number, 0, 2, {"loss": 1.0, "val_accuracy": 0.5})
    time.sleep(0.4)
    if state == "FAIL":
        progress.note("Trial 4 failed: ValueError: [red] <i>")
    best = BestSoFar(2, 0.87654321, {"[bold]units": 64})
    progress.trial_ended(number, state, 0.87654321 if state != "FAIL" else None, best)
progress.trial_started(5, {"[bold]units": 32})
progress.stop()
"""


def run(progress, states=("COMPLETE", "PRUNED", "FAIL"), total=5):
    progress.start(total, Counts())
    for number, state in enumerate(states):
        progress.trial_started(number, {"units": 64, "rate": 0.00123456, "tuner/epochs": 3})
        progress.epoch(number, 0, 3, {"val_loss": 0.5})
        score = None if state == "FAIL" else 0.25
        progress.trial_ended(number, state, score, BestSoFar(0, 0.25, {"units": 64}))
    progress.stop()


def ended(progress, number, state="COMPLETE"):
    return progress.trial_ended(number, state, None)


def test_silent_says_nothing(capfd):
    progress = make_progress(0, "val_loss", "min")
    run(progress)
    progress.note("nobody hears")
    assert capfd.readouterr() == ("", "")


def test_piped_output_is_a_line_a_trial_without_escape_codes(capsys):
    progress = make_progress("auto", "val_loss", "min")
    run(progress)
    lines = capsys.readouterr().out.splitlines()
    assert "\x1b" not in "".join(lines) and "\r" not in "".join(lines)
    assert lines[0] == "Search to minimize val_loss: 5 trials."
    assert len(lines) == 5
    assert re.fullmatch(
        r"\[1/5\] trial 0 complete in 0.0s at epoch 3 \| val_loss 0.25 \| units=64, rate=0.001235 "
        r"\| best 0.25 in trial 0 \| 0.0s left",
        lines[1],
    )
    assert lines[3].startswith("[3/5] trial 2 failed")
    assert "1 complete, 1 pruned, 1 failed." in lines[4]


def test_piped_lines_say_first_what_tells_trials_apart_and_fit_a_page(capsys):
    progress = PlainDisplay("val_accuracy", "max")
    progress.start(2, Counts())
    for number in range(2):
        values = {"l1": 0, "epochs": 20, **{f"block_{i}_dropout": 0.1 * number for i in range(9)}}
        progress.trial_started(number, {**values, "learning_rate": 0.001 + number})
        progress.trial_ended(number, "COMPLETE", 0.5, BestSoFar(0, 0.5))
    first, second = capsys.readouterr().out.splitlines()[1:]
    assert "| learning_rate=0.001, l1=0, " in first
    assert "| learning_rate=1.001, block_0_dropout=0.1, " in second and "l1" not in second
    assert all(len(line) <= 120 and " ... | best " in line for line in (first, second))


def test_a_long_line_leaves_out_the_time_left_before_the_values(capsys):
    progress = PlainDisplay("val_mean_absolute_percentage_error", "min")
    progress.start(3, Counts())
    for number in range(2):
        values = {"learning_rate": 0.002311 + number, "units": 64 + number, "tuner/epochs": 27}
        progress.trial_started(number, values)
        progress.trial_ended(number, "COMPLETE", 0.5123, BestSoFar(0, 0.5123))
    for line in capsys.readouterr().out.splitlines()[1:]:
        assert "| learning_rate=" in line and "left" not in line and len(line) <= 120


def test_plain_goes_on_from_the_trials_of_earlier_sessions(capsys):
    progress = make_progress(2, "val_loss", None)
    progress.start(None, Counts(complete=3, failed=1))
    progress.trial_ended(4, "COMPLETE", 1.0, None)
    lines = capsys.readouterr().out.splitlines()
    assert "4 of them done: 3 complete, 1 failed" in lines[0]
    assert lines[1].startswith("[5] trial 4 complete")


def test_plain_keeps_control_characters_and_unknown_letters_out(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    progress = PlainDisplay("näme", "max")
    progress.start(1, Counts())
    progress.trial_started(0, {"a\x1b[31m": "b\nc"})
    progress.trial_ended(0, "COMPLETE", 1.0, None)
    text = stream.buffer.getvalue().decode()
    assert "a?[31m=b c" in text and "n?me" in text


@pytest.mark.parametrize("error", [BrokenPipeError, ValueError])
def test_a_broken_output_never_breaks_the_search(error, monkeypatch):
    class Broken(io.StringIO):
        tries = 0

        def write(self, text):
            Broken.tries += 1
            raise error

    monkeypatch.setattr(sys, "stdout", Broken())
    run(PlainDisplay("val_loss", "min"))
    assert Broken.tries == 1


def test_a_missing_output_never_breaks_the_search(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    run(make_progress("auto", "val_loss", "min"))


def test_what_verbose_may_be():
    assert type(make_progress(0, "loss")) is Progress
    for verbose in (1, 2, "auto", True):
        assert isinstance(make_progress(verbose, "loss"), PlainDisplay)
    with pytest.raises(ValueError, match="verbose"):
        make_progress("loud", "loss")


def test_an_unknown_state_is_refused():
    with pytest.raises(ValueError, match="COMPLETED"):
        Counts().plus("COMPLETED")


def test_time_left_is_the_mean_duration_of_this_session(monkeypatch):
    now = iter([0.0, 0.0, 10.0, 10.0, 30.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(now))
    progress = ProgressState("loss")
    progress.start(10, Counts(complete=4))
    assert progress.left is None
    for number in range(2):  # Of 10 and 20 seconds.
        progress.trial_started(number, {})
        ended(progress, number)
    assert progress.left == 15.0 * 4
    progress.stop()
    assert progress.left is None


def test_time_left_knows_of_trials_side_by_side(monkeypatch):
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    progress = ProgressState("loss")
    progress.start(20, Counts())
    for number in range(4):
        progress.trial_started(number, {})
    now = 10.0
    for number in range(4):
        ended(progress, number)
    assert progress.left == 16 * 10.0 / 4


def test_where_epochs_are_the_budget_they_are_counted_and_timed(monkeypatch):
    from rich.console import Console

    from kt_hpo.tracking.notebook import NotebookDisplay

    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    console = Console(file=io.StringIO(), width=60)
    displays = TerminalDisplay("loss", "min", console), NotebookDisplay("loss", "min")
    for display in displays:
        progress, now = display.progress_state, 0.0
        progress.start(None, Counts(complete=2))
        progress.budget(10, 100)
        assert progress.left is None
        display.trial_started(2, {"rate": 0.1, "tuner/initial_epoch": 4, "tuner/epochs": 9})
        now = 20.0
        display.trial_ended(2, "COMPLETE", 0.5, None)
        assert progress.left == 85 * 20.0 / 5
    console.print(displays[0].page())
    assert "15/100 epochs" in console.file.getvalue()
    assert '<progress max="100" value="15"></progress> <b>15/100 epochs</b>' in displays[1].html()
    progress.stop()
    assert progress.left is None


def test_no_number_stands_alone_where_nobody_knows_how_many_trials_there_will_be():
    from kt_hpo.tracking.notebook import NotebookDisplay

    display = NotebookDisplay("loss", "min")
    display.progress_state.start(None, Counts(complete=2))
    assert "<progress" not in display.html() and "<b>" not in display.html()
    assert "minimize loss: 2 complete" in display.html()


def test_values_are_short():
    assert short(np.float32(0.1)) == "0.1"
    assert short(True) == "True"
    assert values_in_words({"m": 0.5, "n": 2}) == "m=0.5, n=2"
    assert [clock(s) for s in (0.04, 59.4, 59.6, 3725)] == ["0.0s", "59s", "1:00", "1:02:05"]


def test_terminal_page_fits_narrow_terminals_and_many_trials():
    from rich.console import Console

    console = Console(file=io.StringIO(), width=40)
    display = TerminalDisplay("val_loss", "min", console)
    display.progress_state.start(100, Counts(complete=3))
    for number in range(20):
        display.trial_started(number, {"[bold]a_long_name": "[/]" * 30})
    console.print(display.page())
    lines = console.file.getvalue().splitlines()
    assert all(len(line) <= 40 for line in lines)
    assert lines[0].rstrip().endswith("3/100")
    assert any("20 running" in line for line in lines)
    assert lines[-1].startswith("and 12")


def in_pty(program, columns=100):
    """Run a program in a terminal of its own, and return all it wrote."""
    import pty
    import termios

    parent, child = pty.openpty()
    termios.tcsetwinsize(child, (24, columns))
    environment = os.environ | {"TERM": "xterm-256color", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-X", "utf8", "-c", program]
    with subprocess.Popen(command, stdin=child, stdout=child, stderr=child, env=environment) as run:
        os.close(child)
        written = b""
        while True:
            try:
                part = os.read(parent, 65536)
            except OSError:  # Linux says so when the other side has closed.
                break
            if not part:
                break
            written += part
    os.close(parent)
    assert run.returncode == 0, written.decode()
    return written.decode()


@pytest.mark.skipif(sys.platform == "win32", reason="no pty")
def test_terminal_redraws_in_place_and_leaves_a_summary():
    written = in_pty(SEARCH)
    assert "\x1b[" in written
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", written)
    assert "maximize val_accuracy" in text and "2/6" in text
    assert "2 complete, 1 failed, 1 running" in text.replace("\r", "")
    assert "epoch 1/2  val_accuracy 0.5" in text
    assert "[bold]units=64, <b>=0.1235" in text
    assert "Trial 4 failed: ValueError: [red] <i>" in text
    last = " ".join(" ".join(text.split("\n")[-3:]).split())  # A slow search wraps.
    assert "5/6 trials" in last and "2 complete, 1 pruned, 2 failed" in last
    assert "Best val_accuracy 0.8765 in trial 2" in last


@pytest.mark.skipif(sys.platform == "win32", reason="no pty")
def test_a_dumb_terminal_gets_plain_lines():
    program = "import os; os.environ['TERM'] = 'dumb'\n" + SEARCH
    assert "\x1b" not in in_pty(program)


@pytest.mark.skipif(sys.platform == "win32", reason="no pty")
def test_a_closed_pipe_leaves_the_search_alone():
    program = SEARCH + "\nimport sys; sys.stderr.write('survived')"
    search = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    search.stdout.close()
    assert b"survived" in search.stderr.read()
    search.stderr.close()
    search.wait()


def test_rich_may_not_end_the_process():
    class Broken(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    from kt_hpo.tracking.terminal import _Console

    run(TerminalDisplay("val_loss", "min", _Console(file=Broken(), force_terminal=True)))


def test_importing_tracking_is_cheap():
    program = "import sys, kt_hpo.tracking; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", program], text=True).split()
    assert not {"rich", "IPython", "matplotlib", "optuna", "tensorflow"} & set(loaded)


def test_notebook_html_is_escaped_and_counts(monkeypatch):
    pytest.importorskip("IPython")
    from kt_hpo.tracking.notebook import NotebookDisplay

    notebook = NotebookDisplay("<objective>", "max")
    notebook.trial_started(0, {"<b>": "</td>"})
    notebook.note("<script>")
    html = notebook.html()
    assert "<b>=" not in html and "<script>" not in html and "<objective>" not in html
    assert "&lt;b&gt;=&lt;/td&gt;" in html and "1 running" in html


def test_a_real_notebook_updates_one_output_in_place():
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(SEARCH)])
    nbclient.NotebookClient(notebook, kernel_name="python3", timeout=300).execute()
    (output,) = notebook.cells[0].outputs
    assert output.output_type == "display_data"
    html = output.data["text/html"]
    assert "<b>5/6</b>" in html and "2 complete, 1 pruned, 2 failed" in html
    assert "[bold]units=64" in html and "ValueError: [red] &lt;i&gt;" in html
    assert "2 complete, 1 pruned, 2 failed" in output.data["text/plain"]


PROGRAM = """
import kt_hpo
from models import blobs, build

x, y = blobs(50)
tuner = kt_hpo.OptunaSearch(build, "val_loss", max_trials=2, directory="{}")
tuner.search(x, y, validation_data=(x, y), epochs=1)
"""


@pytest.mark.slow
def test_nothing_is_above_the_table_also_where_keras_was_imported_first(tmp_path, monkeypatch):
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    cells = [nbformat.v4.new_code_cell(text) for text in ("import keras", PROGRAM.format(tmp_path))]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbclient.NotebookClient(notebook, kernel_name="python3", timeout=300).execute()
    (output,) = notebook.cells[1].outputs
    assert output.output_type == "display_data" and "<b>2/2</b>" in output.data["text/html"]


def with_workers(display):
    display.start(5, Counts())
    display.worker(1, None)
    for worker, number in ((2, 7), (3, 8)):
        display.trial_started(number, {"units": 64})
        display.worker(worker, number)
    display.epoch(7, 0, 3, {"val_loss": 0.5})
    display.trial_ended(8, "COMPLETE", 0.25, None)
    return display


def test_a_row_a_worker_in_a_terminal_and_in_a_notebook():
    from rich.console import Console

    from kt_hpo.tracking.notebook import NotebookDisplay

    console = Console(file=io.StringIO(), width=80)
    display = with_workers(TerminalDisplay("val_loss", "min", console))
    console.print(display.page())
    display.stop()
    rows = [line.split("  ") for line in console.file.getvalue().splitlines() if "worker" in line]
    words = [[word.strip() for word in row if word.strip()] for row in rows][-3:]
    assert words == [
        ["worker 1", "idle"],
        ["worker 2", "trial 7", "epoch 1/3", "val_loss 0.5", "units=64"],
        ["worker 3", "idle"],
    ]
    html = with_workers(NotebookDisplay("val_loss", "min")).html()
    assert html.count("<tr>") == 3 and "epoch 1/3 val_loss 0.5" in html and "idle" in html
