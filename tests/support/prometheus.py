"""A real Prometheus that scrapes workers each second."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from supervisor.embedded.ports import free_port
from tests.support.processes import wait_until

_CONFIGURATION = """
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: {rules}
scrape_configs:
- job_name: connectd
  static_configs: {targets}
"""


def tool(name: str) -> str:
    """The path of `prometheus` or `promtool`; the test is skipped where it is not."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed: apt-get install prometheus")
    return path


class Prometheus:
    """Answers of its HTTP API."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str, **query: str) -> Any:
        """The `data` of an answer. Raises AssertionError with what it says is wrong."""
        try:
            with urllib.request.urlopen(
                f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(query)}", timeout=30
            ) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path} {query}: {error.read().decode()}") from error

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series that an instant query gives."""
        found: list[dict[str, Any]] = self.get("query", query=expression)["result"]
        return found

    def rules(self) -> dict[str, dict[str, Any]]:
        """All rules by their names."""
        return {rule["name"]: rule for group in self.get("rules")["groups"] for rule in group["rules"]}

    def alerts(self) -> set[tuple[str, str]]:
        """Alerts whose condition holds, though perhaps not for long enough, each with the connector or worker."""
        found = self.get("alerts")["alerts"]
        return {
            (each["labels"]["alertname"], each["labels"].get("connector") or each["labels"].get("instance", ""))
            for each in found
        }


@contextlib.contextmanager
def prometheus(folder: Path, targets: Mapping[str, Mapping[str, str]], rules: Sequence[Path]) -> Iterator[Prometheus]:
    """Scrapes `targets` (host:port, with the labels that their series get) as the job `connectd`, and evaluates `rules`."""
    static = [{"targets": [target], "labels": dict(labels)} for target, labels in targets.items()]
    configuration = folder / "prometheus.yml"
    configuration.write_text(
        _CONFIGURATION.format(rules=json.dumps([str(each) for each in rules]), targets=json.dumps(static))
    )
    port = free_port()
    command = [
        tool("prometheus"),
        f"--config.file={configuration}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    log = folder / "prometheus.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=folder)
    try:
        found = Prometheus(f"http://127.0.0.1:{port}")

        def is_ready() -> bool:
            assert process.poll() is None, log.read_text()
            with contextlib.suppress(OSError):
                return urllib.request.urlopen(f"{found.url}/-/ready", timeout=5).status == 200  # type: ignore[no-any-return]
            return False

        wait_until(is_ready, "Prometheus is ready")
        yield found
    finally:
        process.terminate()
        process.wait(30)
