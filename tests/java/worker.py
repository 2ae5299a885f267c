"""A worker with Java connectors, and what its tests ask of it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.peer.jvm import compile_java
from tests.support.processes import wait_until
from tests.support.worker_process import WorkerProcess

TICKER = Path(__file__).with_name("Ticker.java")
# Java virtual machines start beside all other tests.
TIMEOUT_S = 90.0


def make_plugin(folder: Path) -> None:
    """A plugin folder with a jar that has no manifest, as those from before Kafka 3.6."""
    folder.mkdir(parents=True)
    classes = compile_java(TICKER)
    with zipfile.ZipFile(folder / "ticker-7.0.jar", "w") as jar:
        for file in sorted(classes.rglob("*.class")):
            jar.write(file, file.relative_to(classes))


@dataclass
class JavaWorker:
    """The worker process and its REST API at `url`."""

    folder: Path
    process: WorkerProcess
    url: str

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON of the answer; an error's has `error_code`."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.url + path, data, {"Content-Type": "application/json"} if data else {}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            text = error.read()
        return json.loads(text) if text else None

    def metrics(self) -> str:
        """What Prometheus is told."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=TIMEOUT_S) as answer:
            return str(answer.read().decode())

    def wait_until_answers(self) -> None:
        def answers() -> bool:
            try:
                return "version" in self.request("GET", "/")
            except OSError:
                return False

        wait_until(answers, f"the worker answers; see {self.process.log}", TIMEOUT_S)

    def create(self, name: str, **config: str) -> None:
        """A connector of these settings, with points for underscores; returns when its task runs."""
        settings = {"name": name, "tasks.max": "1", **{key.replace("_", "."): value for key, value in config.items()}}
        answer = self.request("POST", "/connectors", {"name": name, "config": settings})
        assert "error_code" not in answer, answer
        self.wait_for_task(name, "RUNNING")

    def ticker(self, name: str, topic: str, **config: str) -> None:
        """The test connector."""
        orders = str(self.folder / f"{name}.orders")
        self.create(name, connector_class="tests.Ticker", topic=topic, orders=orders, **config)

    def order(self, name: str, what: str) -> None:
        """Have a ticker do something, at once."""
        draft = self.folder / f"{name}.draft"
        draft.write_text(what)
        draft.replace(self.folder / f"{name}.orders")

    def task(self, name: str) -> dict[str, Any]:
        """What the status says about its only task; empty without one."""
        status = self.request("GET", f"/connectors/{name}/status")
        found: list[dict[str, Any]] = status.get("tasks", [])
        return found[0] if found else {}

    def wait_for_task(self, name: str, state: str) -> None:
        wait_until(lambda: self.task(name).get("state") == state, f"{name} is {state}: {self.task(name)}", TIMEOUT_S)

    def machine(self, name: str, what: str = "task") -> psutil.Process | None:
        """The Java virtual machine of a task or connector."""
        title = f"connectd: {what} {name}"
        for each in psutil.Process(self.process.process.pid).children(recursive=True):
            try:
                words = each.cmdline()
            except psutil.Error:
                continue
            if len(words) > 1 and words[-1] == title:
                return each
        return None

    def said(self, text: str, **fields: object) -> bool:
        """Whether there is an event in the log with this in its message, and these fields."""
        return any(
            text in str(event["message"]) and all(event.get(key) == value for key, value in fields.items())
            for event in self.process.events
        )
