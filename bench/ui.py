"""`python -m bench.ui`: how long the web page takes to show many connectors, and what it costs to keep it open."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import statistics
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click
import psutil
from playwright.sync_api import Browser, Page

from bench.command import ending_in_order
from bench.supervised import START_TIMEOUT_S, Supervised
from bench.supervision_cases import Place
from supervisor.embedded import EmbeddedKafka
from tests.support.browser import chromium

_RESULTS: Final = Path(__file__).with_name("ui.json")
_LOADS: Final = 5
_POLLS: Final = 20
_WATCH_S: Final = 20.0
_TIMEOUT_MS: Final = 60_000
# When the first row of the connectors was there, in milliseconds since the browser went to the page.
_WATCH_ROWS: Final = """
new MutationObserver((_, observer) => {
  if (document.querySelector('table a[href^="#/connectors/"]') === null) return;
  window.firstRowsMs = performance.now();
  observer.disconnect();
}).observe(document, {childList: true, subtree: true});
"""
_LOADED: Final = """
() => {
  const all = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  return {requests: all.length, bytes: all.reduce((sum, each) => sum + each.transferSize, 0), rows: window.firstRowsMs};
}
"""

Figures = dict[str, float]


@dataclass(frozen=True)
class Case:
    """So many connectors with so many tasks each, none of which has anything to do."""

    connectors: int
    tasks: int

    @property
    def name(self) -> str:
        return f"{self.connectors} connectors, {self.connectors * self.tasks} tasks"


CASES: Final = (Case(200, 1), Case(200, 5))


@click.command
@click.option("--connectors", type=int, help="Instead of the cases: so many connectors.")
@click.option("--tasks", default=1, show_default=True, help="With so many tasks each.")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), default=_RESULTS, help="Where the figures go."
)
def main(connectors: int | None, tasks: int, output: Path) -> None:
    """Measure and print; the figures also go to bench/ui.json."""
    results: list[dict[str, Any]] = []
    with ending_in_order(), EmbeddedKafka(progress=click.echo) as kafka, chromium() as browser:
        for case in CASES if connectors is None else [Case(connectors, tasks)]:
            results.append(_measured(case, kafka.bootstrap_servers, browser))
            click.echo(json.dumps(results[-1]))
    output.write_text(json.dumps(results, indent=2) + "\n")


def _measured(case: Case, bootstrap_servers: str, browser: Browser) -> dict[str, Any]:
    load = [round(os.getloadavg()[0], 1)]
    config = {"connector.class": "PulseSource", "tasks.max": str(case.tasks)}
    names = [f"c{number}" for number in range(case.connectors)]
    with tempfile.TemporaryDirectory(prefix="connectd-bench-") as folder:
        place = Place(bootstrap_servers, Path(folder, "ui"))
        with place.run(dict.fromkeys(names, config)) as worker:
            expected = case.connectors * case.tasks
            worker.wait_until(lambda: len(worker.tasks()) == expected, f"{expected} tasks", START_TIMEOUT_S)
            figures = {**_answers(worker), **_loads(worker, browser), **_open(worker, browser)}
    load.append(round(os.getloadavg()[0], 1))
    return {"case": case.name, **{name: round(value, 2) for name, value in figures.items()}, "load": load}


def _answers(worker: Supervised) -> Figures:
    """What the page asks for every two seconds."""
    request = urllib.request.Request(f"{_url(worker)}/connectd/v1/overview", headers={"Accept-Encoding": "gzip"})
    times, sent = [], b""
    before = _cpu_ms(worker)
    for _ in range(_POLLS):
        began = time.monotonic()
        with urllib.request.urlopen(request) as answer:
            sent = answer.read()
        times.append((time.monotonic() - began) * 1000)
    return {
        "answer_median_ms": statistics.median(times),
        "answer_worst_ms": max(times),
        "answer_kib": len(gzip.decompress(sent)) / 1024,
        "answer_sent_kib": len(sent) / 1024,
        "supervisor_cpu_ms_per_answer": (_cpu_ms(worker) - before) / _POLLS,
    }


def _loads(worker: Supervised, browser: Browser) -> Figures:
    """The page in a fresh browser, and again when its files are known."""
    first, again = [], []
    for _ in range(_LOADS):
        with _page(browser) as page:
            page.goto(f"{_url(worker)}/ui")
            first.append(_loaded(page))
            page.reload()
            again.append(_loaded(page))

    def median(loads: list[Figures], name: str) -> float:
        return statistics.median(each[name] for each in loads)

    return {
        "first_rows_ms": median(first, "rows"),
        "first_rows_worst_ms": max(each["rows"] for each in first),
        "requests": median(first, "requests"),
        "kib": median(first, "bytes") / 1024,
        "again_first_rows_ms": median(again, "rows"),
        "again_kib": median(again, "bytes") / 1024,
    }


def _open(worker: Supervised, browser: Browser) -> Figures:
    """What an open page costs the browser and the supervisor."""
    with _page(browser) as page:
        page.goto(f"{_url(worker)}/ui")
        _loaded(page)
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")
        busy, cpu = _task_s(session), _cpu_ms(worker)
        page.wait_for_timeout(_WATCH_S * 1000)
        return {
            "browser_busy_percent": (_task_s(session) - busy) / _WATCH_S * 100,
            "supervisor_cpu_percent_while_open": (_cpu_ms(worker) - cpu) / _WATCH_S / 10,
        }


@contextlib.contextmanager
def _page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    try:
        page = context.new_page()
        page.add_init_script(_WATCH_ROWS)
        yield page
    finally:
        context.close()


def _loaded(page: Page) -> Figures:
    page.wait_for_function("() => window.firstRowsMs !== undefined", timeout=_TIMEOUT_MS)
    found: Figures = page.evaluate(_LOADED)
    return found


def _task_s(session: Any) -> float:
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(float(each["value"]) for each in metrics if each["name"] == "TaskDuration")


def _cpu_ms(worker: Supervised) -> float:
    times = psutil.Process(worker.pid).cpu_times()
    return float(times.user + times.system) * 1000


def _url(worker: Supervised) -> str:
    return f"http://{worker.address}"


if __name__ == "__main__":
    main()
