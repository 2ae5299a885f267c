"""A real Chromium, that of the system, and a standalone worker whose page it looks at."""

from __future__ import annotations

import json
import shutil
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from supervisor.embedded.ports import free_port
from tests.support.kafka import TestKafka
from tests.support.processes import wait_until
from tests.support.worker_process import WorkerProcess, worker_process

NAMES = ("chromium", "chromium-browser", "google-chrome")
# What it would do on the network by itself, and what it cannot do as root.
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# On a machine that is busy with other tests.
PATIENCE_MS = 60_000

WORKER = """
bootstrap.servers={servers}
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.storage.StringConverter
offset.storage.file.filename={folder}/offsets
offset.flush.interval.ms=200
topic.creation.default.replication.factor=1
topic.creation.default.partitions=1
listeners=http://127.0.0.1:{port}
connectors.directory=
"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Ends with the block. The test is skipped where there is none."""
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip(f"no browser is installed: {' or '.join(NAMES)} is expected on the PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=OPTIONS)
        try:
            yield browser
        finally:
            browser.close()


@dataclass(frozen=True)
class PageWorker:
    """A running worker and where it answers."""

    process: WorkerProcess
    url: str
    folder: Path

    @property
    def page(self) -> str:
        return f"{self.url}/ui"

    def request(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(self.url + path, data, headers, method=method)) as answer:
            content = answer.read()
        return json.loads(content) if content else None

    def create(self, name: str, **config: str) -> None:
        """`config` has underscores for dots."""
        dotted = {key.replace("_", "."): value for key, value in config.items()}
        self.request("POST", "/connectors", {"name": name, "config": dotted})


@contextmanager
def page_worker(kafka: TestKafka, folder: Path, **settings: str) -> Iterator[PageWorker]:
    """`settings` have underscores for dots."""
    port = free_port()
    text = WORKER.format(servers=kafka.bootstrap_servers, folder=folder, port=port)
    text += "".join(f"{key.replace('_', '.')}={value}\n" for key, value in settings.items())
    (folder / "worker.properties").write_text(text)
    with worker_process(folder, "worker.properties") as process:
        wait_until(
            lambda: any(str(event["message"]).startswith("REST API at") for event in process.events),
            f"the worker answers; see {process.log}",
        )
        yield PageWorker(process, f"http://127.0.0.1:{port}", folder)


@contextmanager
def open_page(browser: Browser, **options: Any) -> Iterator[Page]:
    """A page of a fresh profile. It fails at the end if a script has failed, or the page's own policy was broken."""
    context = browser.new_context(**options)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    wrong: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        # Browsers say this of every answer that is no success, whatever becomes of it.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            wrong.append(message.text)

    page.on("console", on_console)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    try:
        yield page
    finally:
        context.close()
    assert not wrong, wrong
