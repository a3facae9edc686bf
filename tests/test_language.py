"""The project is written in American English."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PLACES = ("kt_hpo", "hypermodels", "benchmarks", "tests", "docs")
BRITISH = re.compile(
    r"""\b(
        \w*(?:colour|behaviour|honour|favour|neighbour|labour)\w*
        | (?:un)?(?:learnt|burnt|spelt|dreamt)
        | (?:optim|normal|standard|initial|regular|serial|vector|parallel|summar|recogn|minim
            |maxim|penal|random|general|real|special)is(?:e|es|ed|ing|ation|er)
        | (?:analys|catalys)(?:e|ed|ing)
        | (?:label|model|cancel|travel)l(?:ed|ing)
        | centre[sd]? | metres? | greys? | whilst | amongst | catalogue | programmes? | artefacts?
    )\b""",
    re.VERBOSE | re.IGNORECASE,
)


def test_spellings_of_elsewhere_are_noticed():
    text = "A colour that was learnt: vectorised, labelled, grey; learned, vectorized, noise."
    assert BRITISH.findall(text) == ["colour", "learnt", "vectorised", "labelled", "grey"]


def test_one_dialect():
    files = [path for place in PLACES for path in (ROOT / place).rglob("*.[pm][yd]")]
    files = [*files, *ROOT.glob("*.md")]
    assert len(files) > 500
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in files
        if path != Path(__file__)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if BRITISH.search(line)
    ]
    assert not found, "\n".join(found)
