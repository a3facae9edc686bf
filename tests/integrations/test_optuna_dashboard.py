"""Optuna's dashboard on a search that runs, in a real browser."""

import json
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest
from browser import complaints, needs_chromium, opened, requests
from reports.searches import searched

import kt_hpo
from kt_hpo.integrations.optuna_dashboard import address, make_dashboard

pytest.importorskip("optuna_dashboard")


class Slow(kt_hpo.RandomSearch):
    def run_trial(self, trial):
        time.sleep(0.05)
        return trial.hyperparameters.Float("x", -1, 1) ** 2


def search_slowly(directory):
    Slow(directory=directory, project_name="live", max_trials=2000, seed=0).search(verbose=0)


@pytest.fixture
def search(processes, tmp_path):
    """A search that runs in another process."""
    started = processes.Process(target=search_slowly, args=(tmp_path,))
    started.start()
    yield started
    started.kill()
    started.join()


@contextmanager
def dashboard_of(folder):
    started = subprocess.Popen(
        [sys.executable, "-m", "kt_hpo.cli", "dashboard", str(folder), "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield started
    finally:
        started.kill()
        started.communicate()


@pytest.fixture
def served():
    study = searched(20)
    server = make_dashboard(study, port=0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", study
    server.shutdown()
    server.server_close()
    thread.join()


def ask(url, method="GET", host=None, data=None):
    headers = {"Content-Type": "application/json"} | ({"Host": host} if host else {})
    request = urllib.request.Request(url, method=method, headers=headers, data=data)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_it_can_be_looked_at_and_not_be_changed(served):
    url, study = served
    status, body = ask(f"{url}/api/studies/{study._study_id}")
    assert status == 200 and len(json.loads(body)["trials"]) == 20
    before = study.trials, study.user_attrs, study.study_name
    for method, path, data in [
        ("DELETE", f"/api/studies/{study._study_id}", b"{}"),
        ("POST", "/api/studies", b'{"study_name": "new", "directions": ["minimize"]}'),
        ("PUT", f"/api/studies/{study._study_id}/note", b'{"body": "x", "version": 1}'),
        ("POST", "/api/trials/0/tell", b'{"state": "Fail"}'),
    ]:
        status, body = ask(url + path, method, data=data)
        assert status == 403 and "changes nothing" in json.loads(body)["reason"]
    assert (study.trials, study.user_attrs, study.study_name) == before


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example"])
def test_a_page_of_another_site_is_refused(served, host):
    assert ask(f"{served[0]}/api/studies", host=host)[0] == 403


def test_it_listens_on_the_loopback_only_and_names_a_taken_port():
    study = searched(1)
    with make_dashboard(study, port=0) as server:
        host, port = server.server_address
        assert host == "127.0.0.1" and address(server, study).startswith(
            f"http://127.0.0.1:{port}/"
        )
        with pytest.raises(ValueError, match=f"Port {port} .*--port"):
            make_dashboard(study, port)


@needs_chromium
@pytest.mark.slow
def test_a_running_search_is_seen_growing_and_is_left_alone(search, tmp_path):
    folder = tmp_path / "live"
    wait_for(lambda: (folder / "record.journal").exists() and count(folder) >= 3)
    with dashboard_of(folder) as dashboard:
        line = dashboard.stdout.readline()
        url = line.split("live: ")[1].split(" ")[0]
        files = sorted(path.name for path in folder.iterdir())
        with opened(tmp_path / "profile") as browser:
            browser.get(url)
            wait_for(lambda: "Best" in browser.page_source and "live" in browser.page_source)
            elsewhere = [u for u in requests(browser) if not u.startswith("http://127.0.0.1:")]
            assert elsewhere == []
            assert [one for one in complaints(browser) if "SEVERE" in one] == []
        api = url.replace("/dashboard/", "/api/")
        seen = len(json.loads(ask(api)[1])["trials"])
        wait_for(lambda: len(json.loads(ask(api)[1])["trials"]) > seen)
        assert sorted(path.name for path in folder.iterdir()) == files
        assert search.is_alive()
        dashboard.send_signal(signal.SIGINT)
        output, errors = dashboard.communicate(timeout=120)
        assert (dashboard.returncode, output, errors) == (0, "", "")
    grown = count(folder)
    wait_for(lambda: count(folder) > grown)


def count(folder):
    return len(kt_hpo.open_study(folder).trials)


def wait_for(happens, seconds=120):
    end = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < end, "It did not happen."
        time.sleep(0.2)
