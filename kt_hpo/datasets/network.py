"""Whether a server answers, found out in seconds where a download would retry for minutes."""

from __future__ import annotations

from threading import Thread
from urllib.parse import urlsplit

from kt_hpo.optional import require

DEADLINE = 6.0  # seconds


def refusal(url: str, deadline: float = DEADLINE) -> str | None:
    """Asks a server for anything at all, through the proxies of the environment.

    Args:
        url: An address of the server; only its scheme, host and port are used.
        deadline: Seconds to wait at most, for name look-up, connection and answer together.

    Returns:
        None if it answers, be it with an error; else why not, in a few words.

    Example:
        >>> refusal("http://localhost:9/data.zip")
        'ConnectionError'
    """
    requests = require("requests")
    server = urlsplit(url)
    found: list[str | None] = []

    def ask() -> None:
        try:
            requests.head(f"{server.scheme}://{server.netloc}/", timeout=deadline)
        except (requests.ConnectionError, requests.Timeout) as error:
            found.append(type(error).__name__)
        else:
            found.append(None)

    # A thread, because the look-up of a host's name knows no time limit.
    asking = Thread(target=ask, daemon=True)
    asking.start()
    asking.join(deadline)
    return found[0] if found else f"no answer in {deadline:g} s"
