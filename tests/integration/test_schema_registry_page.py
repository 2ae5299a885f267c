"""docs/schema-registry.md: its files and commands do what it says, and the page of settings is that of the code."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

from plugins.converters.registry.reference import page as settings_page
from tests.support.kafka import TestKafka
from tests.support.processes import wait_until
from tests.support.registry import running_registry
from tests.support.tutorial import Tutorial, run
from tests.support.worker_process import worker_process

DOCS = Path(__file__).parents[2] / "docs"


def test_the_example_runs(kafka: TestKafka, topic: str, tmp_path: Path) -> None:
    page = Tutorial.read("schema-registry.md")
    with running_registry() as registry:

        def here(text: str) -> str:
            # Nothing else differs from the page: all tests share a Kafka, so that names are not free.
            text = text.replace("http://localhost:8081", registry.url).replace(
                "localhost:9092", kafka.bootstrap_servers
            )
            return text.replace("orders", topic)

        for name, text in page.files.items():
            (tmp_path / here(name)).write_text(here(text))
        (tmp_path / "worker.properties").open("a").write("listeners=http://127.0.0.1:0\n")
        run(here(page.command("connectd check")), tmp_path)
        files = here(page.command("connectd standalone")).split()[2:]
        with worker_process(tmp_path, *files) as worker:
            out = tmp_path / f"{topic}.out"
            wait_until(lambda: out.exists() and out.read_text(), "the record arrived")
            assert worker.stop() == 0
        assert out.read_text() == page.blocks["output"]
        with urllib.request.urlopen(f"{registry.url}/subjects/{topic}-value/versions/1") as answer:
            assert json.load(answer)["schema"] == page.blocks["schema"].strip()


def test_the_settings_are_those_of_the_code() -> None:
    text = (DOCS / "schema-registry-settings.md").read_text()
    assert text == settings_page(), "make it anew: python -m plugins.converters.registry.reference"
