"""`kt-hpo completion`, in a real bash and to the other shells' own parsers where they are there."""

import os
import shutil
import subprocess
import sys

import pexpect
import pytest
from cli.commands import environment

from kt_hpo import cli


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """`kt-hpo` as pip would install it, for this interpreter."""
    folder = tmp_path_factory.mktemp("bin")
    script = folder / "kt-hpo"
    code = "import sys\nfrom kt_hpo.cli import main\nsys.exit(main())\n"
    script.write_text(f"#!{sys.executable}\n{code}")
    script.chmod(0o755)
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    return {**environment(), "PATH": path, "PS1": "$ ", "TERM": "dumb"}


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("kt-hpo res", "kt-hpo resume"),
        ("kt-hpo search --max-tr", "kt-hpo search --max-trials"),
        ("kt-hpo search --algorithm hyperb", "kt-hpo search --algorithm hyperband"),
        ("kt-hpo search --pruner med", "kt-hpo search --pruner median"),
        ("kt-hpo search --data mni", "kt-hpo search --data mnist5k"),
        ("kt-hpo export runs --format keras-", "kt-hpo export runs --format keras-tuner"),
        ("kt-hpo status ru", "kt-hpo status runs/"),
    ],
)
def test_bash_completes(typed, completed, program, tmp_path):
    (tmp_path / "runs").mkdir()
    bash = pexpect.spawn(
        "bash", ["--norc", "--noprofile"], env=program, cwd=str(tmp_path), encoding="utf-8",
        timeout=30, dimensions=(24, 200),
    )  # fmt: skip
    bash.sendline("bind 'set enable-bracketed-paste off'")
    bash.sendline('eval "$(kt-hpo completion bash)"; echo 1$((1))')
    bash.expect("11\r\n")
    bash.send(typed + "\t")
    bash.expect_exact(completed)
    bash.close(force=True)


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_are_given_code_that_they_can_read(shell, program, tmp_path):
    printed = subprocess.run(
        ["kt-hpo", "completion", shell], env=program, capture_output=True, text=True, check=True
    ).stdout
    assert "kt-hpo" in printed and "_ARGCOMPLETE" in printed
    if shutil.which(shell):
        (tmp_path / "code").write_text(printed)
        subprocess.run([shell, "-n", tmp_path / "code"], check=True)


def test_another_shell_is_refused_with_the_nearest(capsys):
    assert cli.main(["completion", "bas"]) == cli.USAGE
    assert "Did you mean 'bash'?" in capsys.readouterr().err
