"""A stand-in of the sweep service on the loopback: what `wandb.agent` and `wandb.Api` ask it."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import yaml


class SweepService:
    """One sweep of a project `team/project`, and the runs it hands out.

    Args:
        config: The sweep's configuration.
        propose: Gives the values of the next run, or None when there are no more.
        runs: Runs there are already, as the service describes them.
    """

    def __init__(self, config, propose=lambda: None, runs=()):
        self.config = config
        self.propose = propose
        self.runs = list(runs)
        self.stop_asked = []
        self.states = []
        self.asked = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                answer = json.dumps({"data": service.answer(asked)}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *args):
        self._server.shutdown()
        self._server.server_close()

    def answer(self, asked):
        query, variables = asked["query"], asked.get("variables") or {}
        self.asked.append((query, variables))
        if "agentHeartbeat" in query:
            self.states.append(json.loads(variables["runState"]))
            return {"agentHeartbeat": {"agent": {"id": "agent"}, "commands": self._commands()}}
        if "createAgent" in query:
            return {"createAgent": {"agent": {"id": "agent"}}}
        if "RunFullHistory" in query:
            (run,) = [run for run in self.runs if run["name"] == variables["name"]]
            return {"project": {"run": {"history": run["history"]}}}
        if "sweep(" in query:
            return {"project": {"sweep": self._sweep()}}
        if "runs(" in query:
            return {"project": self._runs()}
        if "viewer" in query:
            return {"viewer": {"id": "user", "entity": "team", "username": "user", "flags": "{}"}}
        return {}

    def _commands(self):
        if self.stop_asked:
            command = {"type": "stop", "run_id": self.stop_asked.pop(0)}
        elif self.states[-1]:
            return "[]"
        elif (values := self.propose()) is None:
            command = {"type": "exit"}
        else:
            name = f"run{len(self.runs)}"
            self.runs.append({"name": name})
            command = {
                "type": "run",
                "run_id": name,
                "args": {key: {"value": value} for key, value in values.items()},
            }
        return json.dumps([command])

    def _sweep(self):
        return {
            "id": "U3dlZXA=",
            "name": "sweep1",
            "method": self.config["method"],
            "state": "RUNNING",
            "description": None,
            "config": yaml.dump(self.config),
            "createdAt": "2026-01-01T00:00:00Z",
            "heartbeatAt": None,
            "updatedAt": None,
            "earlyStopJobRunning": False,
            "bestLoss": None,
            "controller": None,
            "scheduler": None,
            "displayName": None,
            "priorRuns": {"edges": []},
            "runCount": len(self.runs),
            "runCountExpected": None,
        }

    def _runs(self):
        nodes = [{"node": run, "cursor": run["name"]} for run in self.runs]
        return {
            "internalId": 1,
            "runCount": len(nodes),
            "readOnly": False,
            "runs": {"edges": nodes, "pageInfo": {"endCursor": None, "hasNextPage": False}},
        }
