"""What all commands have in common: help, wrong words, exit statuses."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli.commands import QUICK

import kt_hpo
from kt_hpo import cli
from kt_hpo.cli import options, search

GUIDE = Path(kt_hpo.__file__).parent.parent / "docs" / "command-line.md"


@pytest.mark.parametrize("program", [["-m", "kt_hpo.cli", "--help"], ["-c", "import kt_hpo"]])
def test_help_and_import_answer_at_once(program):
    """In under half a second: nothing heavy is imported, and the best of three is quick."""
    heavy = "{'tensorflow', 'keras', 'optuna', 'numpy', 'pandas', 'matplotlib', 'yaml'}"
    code = f"import sys, kt_hpo, kt_hpo.cli; assert not {heavy} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
    seconds = []
    for _ in range(3):
        started = time.monotonic()
        subprocess.run([sys.executable, *program], check=True, capture_output=True)
        seconds.append(time.monotonic() - started)
    assert min(seconds) < 0.5


def refused(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    return ended.value.code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["serch"], "Did you mean 'search'?"),
        (["search", "--max-trails", "3"], "Did you mean '--max-trials'?"),
        (["resume", "runs", "--max_trials=3"], "Did you mean '--max-trials'?"),
        (["status", "runs", "--jsno"], "Did you mean '--json'?"),
        (["status"], "SEARCH"),
        (["search", "--max-trials"], "expected one argument"),
        ([], "COMMAND"),
    ],
)
def test_a_word_that_is_not_known_suggests_the_nearest(arguments, words, capsys):
    code, error = refused(arguments, capsys)
    assert code == cli.USAGE
    assert error.startswith("kt-hpo: ") and words in error
    assert "--help` says what there is" in error and len(error.splitlines()) == 2


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_commands_help_has_examples(command, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main([command, "--help"])
    shown = capsys.readouterr().out
    assert ended.value.code == 0
    assert "examples:\n" in shown and f"kt-hpo {command}" in shown
    assert max(map(len, shown.splitlines())) <= 100


def test_the_guide_has_every_command_every_option_and_every_exit_status():
    guide = GUIDE.read_text()
    for command in cli.COMMANDS:
        assert f"kt-hpo {command}" in guide
    for option in options.OPTIONS.values():
        assert f"`{option.flag}`" in guide, option.flag
    for status in (cli.OK, cli.FAILED, cli.USAGE, cli.MISSING, cli.INTERRUPTED):
        assert f"| {status} |" in guide


def test_the_names_are_those_of_the_library():
    from kt_hpo.datasets import OFFLINE
    from kt_hpo.objectives import MEASURED
    from kt_hpo.training import distribution, precision

    assert options.DATASETS == OFFLINE
    assert set(options.OBJECTIVES) > set(MEASURED)
    assert options.PRECISIONS == precision.PRECISIONS
    for name in options.DISTRIBUTIONS:
        distribution.check_distribution(name)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ValueError("wrong"), cli.USAGE),
        (FileNotFoundError("not there"), cli.USAGE),
        (ImportError("not installed"), cli.MISSING),
        (RuntimeError("failed"), cli.FAILED),
        (kt_hpo.RecordError("damaged"), cli.FAILED),
        (KeyboardInterrupt("It goes on."), cli.INTERRUPTED),
    ],
)
def test_every_failure_has_its_status(error, status, monkeypatch, capsys):
    def fail(settings):
        raise error

    monkeypatch.setattr(search, "run", fail)
    assert cli.main([*QUICK, "--directory", "nowhere"]) == status
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("kt-hpo: ") and str(error) in shown.err
