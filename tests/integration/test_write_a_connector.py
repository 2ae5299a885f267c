"""docs/write-a-connector.md from its first row to its last command, on a real Kafka."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.kafka import TestKafka
from tests.support.tutorial import Tutorial, environment, run

TIMEOUT_S = 60.0
PRICES = {"apple": 0.5, "pear": 0.75, "plum": 0.25}


@pytest.fixture
def page() -> Tutorial:
    return Tutorial.read("write-a-connector.md")


@pytest.fixture
def folder(page: Tutorial, kafka: TestKafka, topic: str, tmp_path: Path) -> Path:
    """The page's files, but on the Kafka of this test run and with a topic that no other test has."""
    page.write_files(tmp_path)
    for name, printed, ours in (
        ("worker.properties", "localhost:9092", kafka.bootstrap_servers),
        ("orders-source.properties", "topic=orders", f"topic={topic}"),
        ("orders-sink.properties", "topics=orders", f"topics={topic}"),
        ("orders-sink.properties", "name=orders-sink", f"name={topic}"),
    ):
        text = (tmp_path / name).read_text()
        assert printed in text
        (tmp_path / name).write_text(text.replace(printed, ours))
    with (tmp_path / "worker.properties").open("a") as worker:
        worker.write("\nlisteners=http://127.0.0.1:0\n")
    return tmp_path


@contextmanager
def running_worker(command: str, folder: Path) -> Iterator[None]:
    with (folder / "worker.log").open("ab") as log:
        worker = subprocess.Popen(
            command.split(), cwd=folder, env=environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        try:
            yield
            worker.send_signal(signal.SIGINT)  # Ctrl+C
            assert worker.wait(TIMEOUT_S) == 0
        finally:
            worker.kill()
            worker.wait()


def copied_orders(page: Tutorial, folder: Path, count: int) -> list[dict[str, object]]:
    """What the page's last command prints, once it is as much as expected."""
    command, copy = page.command('python -c "import sqlite3'), folder / "copy.db"
    deadline = time.monotonic() + TIMEOUT_S
    orders: list[dict[str, object]] = []
    while time.monotonic() < deadline:
        if copy.exists() and copy.stat().st_size:  # the sink has made its table
            orders = [json.loads(line) for line in run(command, folder).split("\n") if line]
        if len(orders) >= count:
            return orders
        time.sleep(0.1)
    raise AssertionError(f"{len(orders)} of {count} orders came\n{(folder / 'worker.log').read_text()[-5000:]}")


def test_the_page_from_beginning_to_end(page: Tutorial, folder: Path) -> None:
    fill, start = page.command("python shop.py"), page.command("connectd standalone")
    expected = [
        {"id": number, "item": item, "price": price}
        for number, (item, price) in enumerate(list(PRICES.items()) * 3, start=1)
    ]
    run(fill, folder)
    with running_worker(start, folder):
        assert copied_orders(page, folder, 3) == expected[:3]
        run(fill, folder)  # "run it again"
        assert copied_orders(page, folder, 6) == expected[:6]
    run(fill, folder)
    with running_worker(start, folder):  # "it goes on behind the last order"
        assert copied_orders(page, folder, 9) == expected
