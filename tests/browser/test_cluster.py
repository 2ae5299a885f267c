"""The page of one worker of a cluster shows what all of them do; workers go, and come back."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.support.browser import open_page
from tests.support.cluster import cluster, wait_until
from tests.support.kafka import TestKafka


def test_a_worker_goes_and_comes_back(browser: Browser, kafka: TestKafka, topic: str, tmp_path: Path) -> None:
    kafka.create_topic(topic, partitions=2)
    # Long enough to look at the page before the work of the worker that is gone goes to the other one.
    with (
        cluster(kafka, tmp_path, topic, 2, scheduled_rebalance_max_delay_ms="20000") as group,
        open_page(browser) as page,
    ):
        here, other = group.members
        page.goto(f"http://{here.worker_id}/ui")
        workers = page.get_by_role("table", name="Workers")
        theirs = workers.get_by_role("row").filter(has_text=other.worker_id)
        expect(workers).to_contain_text(here.worker_id)
        expect(workers.get_by_text("leader")).to_have_count(1)
        # Also the one that has nothing to do, whichever leads.
        expect(theirs).to_be_visible()
        expect(page.get_by_text("There are no connectors yet.")).to_be_visible()
        here.ok("PUT", "/connectors/out/config", {
            "name": "out", "connector.class": "FileStreamSink", "tasks.max": "2", "topics": topic, "file": f"{tmp_path}/out.txt",
        })  # fmt: skip
        group.wait_until_in("RUNNING", "out", 2)
        # The records that the tasks of both have moved.
        page.get_by_role("link", name="out", exact=True).click()
        tasks = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=re.compile("^task")))
        expect(tasks).to_have_count(2)

        def both_move() -> bool:
            kafka.produce(topic, ["one"], partition=0)
            kafka.produce(topic, ["two"], partition=1)
            return all(re.search("[1-9]", row.get_by_role("cell").nth(2).text_content() or "") for row in tasks.all())

        wait_until(both_move, "the page shows records of the tasks of both workers")

        other.kill()
        expect(
            page.get_by_text(re.compile(f"The worker {re.escape(other.worker_id)} cannot be reached"))
        ).to_be_visible()
        page.get_by_role("link", name="Overview").first.click()
        expect(theirs).to_contain_text("cannot be reached")
        other.start()
        other.wait_until_ready()
        expect(theirs).not_to_contain_text("cannot be reached")

        # The worker of the page itself.
        here.kill()
        banner = page.get_by_role("alert").filter(has_text="The worker does not answer")
        expect(banner).to_be_visible()
        here.start()
        here.wait_until_ready()
        expect(banner).to_be_hidden()
        expect(page.get_by_role("link", name="out", exact=True)).to_be_visible()
