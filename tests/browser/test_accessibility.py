"""axe-core finds nothing on any page, light or dark, wide or narrow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import PageWorker, open_page, page_worker
from tests.support.kafka import TestKafka

# Each with something that is there once it is complete.
PAGES = {
    "#/": "broken",
    "#/plugins": "FileStreamSinkConnector",
    "#/plugins/FileStreamSink": "topics.regex",
    "#/new": "FileStreamSource",
    "#/new/FileStreamSource": "topic",
    "#/connectors/broken": "Traceback",
    "#/connectors/broken/config": "connector.class",
    "#/connectors/broken/offsets": "Offsets can be changed",
    "#/connectors/broken/logs": "follow",
    "#/connectors/broken/edit": "Nothing is changed",
}


@pytest.fixture(scope="module")
def worker(kafka: TestKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageWorker]:
    with page_worker(kafka, tmp_path_factory.mktemp("axe")) as found:
        found.create(
            "broken",
            connector_class="FileStreamSink",
            topics="t",
            file="/missing/folder/out.txt",
            task_restart_policy="never",
        )
        yield found


def findings(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{each['impact']} {each['id']}: {node['html'][:120]}" for each in found for node in each["nodes"]]


@pytest.mark.parametrize(
    ("scheme", "width", "pages"),
    [("light", 1280, PAGES), ("dark", 1280, PAGES), ("light", 390, ["#/", "#/connectors/broken"])],
)
def test_no_page_has_findings(
    browser: Browser, worker: PageWorker, scheme: str, width: int, pages: Iterable[str]
) -> None:
    found = {}
    # The policy of the page lets no script in but its own, not even that of axe.
    with open_page(
        browser, color_scheme=scheme, viewport={"width": width, "height": 800}, bypass_csp=True, reduced_motion="reduce"
    ) as page:
        for address in pages:
            page.goto(f"{worker.page}/index.html{address}")
            expect(page.get_by_role("main")).to_contain_text(PAGES[address])
            if address == "#/plugins":  # the others are like these
                page.get_by_role("searchbox").fill("FileStream")
            found[address] = findings(page)
        page.keyboard.press("?")
        found["keys"] = findings(page)
        page.keyboard.press("Escape")
        page.goto(f"{worker.page}/index.html#/connectors/broken")
        page.get_by_role("button", name="Delete").click()
        found["delete"] = findings(page)
    assert {address: each for address, each in found.items() if each} == {}
