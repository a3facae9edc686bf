"""Makes the pictures of README, each of a real search.

    python docs/extensions/pictures.py [session] [report]

`session.svg`: README's program runs in a pseudo-terminal; what it writes is drawn as it was, but
sooner, without scripts, and rests on the last frame where motion is not wanted. What the backend
writes to stderr is left out. `report.png`: the page about a search by the command line, in a
browser.
"""

from __future__ import annotations

import html
import io
import itertools
import os
import pty
import re
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterable, Sequence
from pathlib import Path

from PIL import Image
from rich.text import Text

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs/images"
SEARCH = (
    "search --data digits --model mlp --algorithm tpe --pruner asha --max-trials 60 --seed 0 "
    "--directory"
)
COLUMNS, ROWS = 114, 30
# Of one cell, in units of the picture; seconds that the search and its end are shown.
WIDTH, HEIGHT, PADDING = 8.4, 19, 16
PLAYED, RESTED = 7.0, 9.0
FRAMES = 24
ERASED = re.compile(r"\r?(?:\x1b\[2K\x1b\[1A)+\x1b\[2K|\r(?:\x1b\[1A\x1b\[2K)+")
# As a terminal numbers them: red, green, yellow, cyan, and the gray of what is still to do.
COLORS = {1: "#e06c75", 2: "#7fd17f", 3: "#e5c07b", 6: "#56c8d8", 8: "#4a5263"}


def program() -> str:
    """The first program of README."""
    return re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.M | re.S)[0]


def recorded(code: str) -> str:
    """What a program writes to a terminal of our size."""
    pid, terminal = pty.fork()
    if pid == 0:
        termios.tcsetwinsize(1, (ROWS, COLUMNS))
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        os.chdir(tempfile.mkdtemp())
        Path("digits.py").write_text(code)
        path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        environment = {**os.environ, "PYTHONPATH": path, "TERM": "xterm"}
        os.execve(sys.executable, [sys.executable, "digits.py"], environment)
    written = bytearray()
    while True:
        try:
            written += os.read(terminal, 65536)
        except OSError:  # Linux says so when the program has ended.
            break
    if os.waitpid(pid, 0)[1]:
        raise RuntimeError(f"README's program failed:\n{written.decode()}")
    return written.decode()


def frames(written: str) -> list[list[Text]]:
    """The screens one after the other; the last one is what stays."""
    screens = [part for part in ERASED.split(written.replace("\r\n", "\n")) if part.strip()]
    return [
        [row for line in Text.from_ansi(screen).split("\n") for row in folded(line)]
        for screen in screens
    ]


def folded(line: Text) -> list[Text]:
    """A line as rows of the terminal."""
    return list(line.divide(range(COLUMNS, len(line), COLUMNS))) or [line]


def spans(line: Text, y: float) -> Iterable[str]:
    """The parts of a line, each with its style."""
    starts = sorted(
        {0, len(line), *(edge for span in line.spans for edge in (span.start, span.end))}
    )
    for start, end in itertools.pairwise(starts):
        words = line.plain[start:end]
        if words.strip():
            styles = [str(s.style) for s in line.spans if s.start <= start and end <= s.end]
            shown = "".join(attributes(style) for style in styles)
            x = PADDING + start * WIDTH
            length = f'textLength="{(end - start) * WIDTH:.1f}"'
            yield f'<text x="{x:.1f}" y="{y:.0f}" {length}{shown}>{html.escape(words)}</text>'


def attributes(style: str) -> str:
    """A style of rich in SVG's words."""
    number = re.search(r"color\((\d+)\)", style)
    color = f' fill="{COLORS[int(number[1])]}"' if number else ""
    bold, dim = ' font-weight="bold"' * ("bold" in style), ' opacity="0.6"' * ("dim" in style)
    return color + bold + dim


def screen(lines: Sequence[Text], name: str) -> str:
    """A screen below the command."""
    tops = (PADDING + HEIGHT * (row + 3) for row in range(len(lines)))
    drawn = (part for line, y in zip(lines, tops, strict=True) for part in spans(line, y))
    return f'<g class="{name}">{"".join(drawn)}</g>'


def picture(screens: Sequence[list[Text]]) -> str:
    """The session as SVG: some screens of the search in turn, then the last one."""
    search, end = screens[:-1], screens[-1]
    chosen = [search[i * (len(search) - 1) // (FRAMES - 1)] for i in range(FRAMES)]
    whole, each = PLAYED + RESTED, PLAYED / FRAMES
    delays = "".join(f".f{i}{{animation-delay:{i * each:.2f}s}}" for i in range(FRAMES))
    style = (
        f"text{{white-space:pre}}.f{{opacity:0;animation:f {whole}s step-end infinite}}"
        f".end{{animation:e {whole}s step-end infinite}}{delays}"
        f"@keyframes f{{0%{{opacity:1}}{100 * each / whole:.3f}%{{opacity:0}}}}"
        f"@keyframes e{{0%{{opacity:0}}{100 * PLAYED / whole:.3f}%{{opacity:1}}}}"
        "@media(prefers-reduced-motion:reduce){.f,.end{animation:none}}"
    )
    width = 2 * PADDING + COLUMNS * WIDTH
    height = 2 * PADDING + HEIGHT * (len(end) + 3)
    command = Text("$ python digits.py")
    parts = [
        *spans(command, PADDING + HEIGHT),
        *(screen(lines, f"f f{i}") for i, lines in enumerate(chosen)),
        screen(end, "end"),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,monospace" font-size="14" '
        f'fill="#d7dae0" role="img" aria-label="A search in a terminal"><style>{style}</style>'
        f'<rect width="100%" height="100%" rx="8" fill="#1b1e26" stroke="#3a404d"/>'
        f"{''.join(parts)}</svg>\n"
    )


def session() -> None:
    """Records README's program."""
    (IMAGES / "session.svg").write_text(picture(frames(recorded(program()))))


def report() -> None:
    """Photographs the report of a search."""
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    import browser

    with tempfile.TemporaryDirectory() as directory:
        for command in (f"{SEARCH} {directory}/digits", f"report {directory}/digits"):
            subprocess.run([sys.executable, "-m", "kt_hpo.cli", *command.split()], check=True)
        with browser.opened(f"{directory}/profile", 1184, 1500) as page:
            page.get(f"file://{directory}/digits/report.html")
            page.execute_script("document.documentElement.style.overflow = 'hidden'")
            photograph = io.BytesIO(page.get_screenshot_as_png())
    colors = Image.open(photograph).convert("RGB").quantize(64, dither=Image.Dither.NONE)
    colors.save(IMAGES / "report.png", optimize=True)


if __name__ == "__main__":
    for make in (session, report):
        if make.__name__ in (sys.argv[1:] or ["session", "report"]):
            make()
