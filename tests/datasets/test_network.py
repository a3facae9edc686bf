"""Whether a server can be reached, asked before anything is downloaded."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from kt_hpo.datasets.network import refusal


class Answer(BaseHTTPRequestHandler):
    """A server that is there, and no help."""

    def do_HEAD(self) -> None:
        self.send_error(503)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Answer) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{http.server_port}"
        http.shutdown()


def test_any_answer_counts(server: str) -> None:
    assert refusal(f"http://{server}/data.zip") is None


def test_through_a_proxy(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusal("http://data.invalid/data.zip") == "ConnectionError"
    monkeypatch.setenv("http_proxy", f"http://{server}")
    assert refusal("http://data.invalid/data.zip") is None


def test_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        start = time.monotonic()
        assert refusal(f"http://127.0.0.1:{silent.getsockname()[1]}/", deadline=0.3)
        assert time.monotonic() - start < 2
