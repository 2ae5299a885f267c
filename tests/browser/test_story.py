"""A connector is created in the form, watched, broken, read about, repaired and deleted; by mouse and by keyboard."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.support.browser import PageWorker, open_page, page_worker
from tests.support.kafka import TestKafka


@pytest.fixture(scope="module")
def worker(kafka: TestKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageWorker]:
    with page_worker(kafka, tmp_path_factory.mktemp("page")) as found:
        yield found


def row(page: Page, name: str) -> Locator:
    """A row of a table by its first cell."""
    return page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=name, exact=True))


def key(page: Page, name: str) -> Locator:
    """What a key of the form is filled in with."""
    return page.locator(f'[data-key="{name}"]').get_by_role("textbox")


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def create(page: Page, kind: str, **config: str) -> None:
    page.get_by_role("link", name="New connector", exact=True).click()
    page.get_by_role("link", name=re.compile(f"^{kind}Connector")).click()
    for name, value in config.items():
        key(page, name.replace("_", ".")).fill(value)
    button(page, "Create").click()


def test_from_a_form_to_records_to_a_trace_to_a_restart(
    browser: Browser, worker: PageWorker, topic: str, tmp_path: Path
) -> None:
    source, target, missing = tmp_path / "in.txt", tmp_path / "out.txt", tmp_path / "missing"
    source.write_text("one\ntwo\nthree\n")
    with open_page(browser) as page:
        page.goto(worker.page)
        create(page, "FileStreamSource", name="story-in", file=str(source), topic=topic)
        expect(page.get_by_role("heading", name="story-in")).to_be_focused()
        expect(row(page, "task 0")).to_contain_text("running")
        create(page, "FileStreamSink", name="story-out", file=str(target), topics=topic)
        expect(row(page, "task 0").get_by_role("cell").nth(2)).to_have_text("3")
        assert target.read_text() == "one\ntwo\nthree\n"

        # Records that come while it is looked at, and their rate.
        with source.open("a") as lines:
            lines.write("four\n" * 400)
        expect(row(page, "task 0").get_by_role("cell").nth(2)).to_have_text("403")
        expect(page.get_by_role("img", name=re.compile(r"^Records.s: (?!0 now)"))).to_be_visible()

        # Break it: a file in a folder that is not there. The first field that was changed is told.
        button(page, "Edit").click()
        key(page, "file").fill(str(missing / "out.txt"))
        page.get_by_label(re.compile(r"all \d+ keys")).check()
        key(page, "task.restart.policy").fill("never")
        expect(page.get_by_role("status")).to_have_text("Changed: file, task.restart.policy")
        button(page, "Save").click()
        expect(row(page, "task 0")).to_contain_text("failed")
        trace = page.get_by_role("region", name="Trace of task 0")
        expect(trace).to_contain_text("Traceback (most recent call last)")
        expect(trace).to_contain_text(f"Cannot find or create file '{missing}/out.txt'")
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        button(page, "Copy trace").click()
        expect(page.get_by_text("The trace is copied")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == trace.text_content()
        # The log, as it comes.
        page.get_by_role("link", name="Logs").click()
        log = page.get_by_role("log")
        expect(log).to_contain_text(f"Cannot find or create file '{missing}/out.txt'")
        page.get_by_role("combobox", name="Level").select_option("ERROR and above")
        expect(log).not_to_contain_text("INFO")
        # The overview says it, too, and why.
        page.get_by_role("link", name="Overview", exact=True).first.click()
        broken = page.get_by_role("row").filter(has_text="story-out")
        expect(broken).to_contain_text("failed")
        expect(broken).to_contain_text("Cannot find or create file")

        # Repair it.
        missing.mkdir()
        page.get_by_role("link", name="story-out").click()
        page.get_by_role("link", name="Logs").click()
        expect(log).to_contain_text("FAILED")
        button(page, "Restart what failed").click()
        expect(log).to_contain_text("task story-out-0 is RUNNING")
        page.get_by_role("link", name="Tasks").click()
        expect(row(page, "task 0")).to_contain_text("running")
        expect(trace).to_be_hidden()
        with source.open("a") as lines:
            lines.write("five\n")
        expect(row(page, "task 0").get_by_role("cell").nth(2)).to_have_text("404")
        assert (missing / "out.txt").read_text() == "five\n"

        # Delete it: it is asked first, and what does no harm has the focus.
        button(page, "Delete").click()
        expect(button(page, "Cancel")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog")).to_be_hidden()
        assert "story-out" in worker.request("GET", "/connectors")
        button(page, "Delete").click()
        page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        expect(page.get_by_text("story-out is deleted")).to_be_visible()
        expect(page.get_by_role("heading", name="Connectors")).to_be_visible()
        expect(page.get_by_role("link", name="story-out")).to_be_hidden()
        assert "story-out" not in worker.request("GET", "/connectors")


def test_what_is_wrong_is_said_at_its_field(browser: Browser, worker: PageWorker, tmp_path: Path) -> None:
    with open_page(browser) as page:
        page.goto(f"{worker.page}/index.html#/new/FileStreamSource")
        button(page, "Create").click()
        problems = page.get_by_role("alert").filter(has_text="2 keys must be corrected")
        expect(problems).to_be_focused()
        topic = key(page, "topic")
        expect(topic).to_have_accessible_description(re.compile('Missing required configuration "topic"'))
        expect(topic).to_have_attribute("aria-invalid", "true")
        problems.get_by_role("button", name="topic").click()
        expect(topic).to_be_focused()
        topic.fill("t")
        expect(topic).not_to_have_attribute("aria-invalid", "true")

        # While it is filled in.
        tasks = key(page, "tasks.max")
        tasks.fill("many")
        expect(page.locator('[data-key="tasks.max"]').get_by_role("listitem").first).to_contain_text("many")
        tasks.fill("2")
        expect(tasks).not_to_have_attribute("aria-invalid", "true")

        # Keys that come with others, recommended values, keys that nobody declares, passwords.
        page.get_by_role("searchbox", name="Filter keys").fill("transforms")
        page.locator('[data-key="transforms"]').get_by_role("combobox").or_(key(page, "transforms")).first.fill("mask")
        expect(page.locator('[data-key="transforms.mask.type"]')).to_be_visible()
        options = page.locator('[data-key="transforms.mask.type"] option')
        expect(options.first).to_be_attached()
        key(page, "transforms").fill("")
        page.get_by_role("searchbox", name="Filter keys").fill("")
        page.get_by_role("textbox", name="Another key").fill("service.password")
        button(page, "Add key").click()
        password = page.locator('[data-key="service.password"] input')
        expect(password).to_be_focused()
        expect(password).to_have_attribute("type", "password")

        # As JSON, as it is in files.
        button(page, "As JSON").click()
        json = page.get_by_role("textbox", name="Configuration as JSON")
        json.fill('{"connector.class": ')
        button(page, "As form").click()
        expect(page.get_by_role("alert").filter(has_text="This is not JSON")).to_be_visible()
        json.fill(
            '{"name": "wrong", "config": {"connector.class": "FileStreamSource", "topic": "t", "tasks.max": "0"}}'
        )
        button(page, "As form").click()
        expect(key(page, "name")).to_have_value("wrong")
        expect(page.locator('[data-key="tasks.max"]').get_by_role("listitem")).to_contain_text("at least 1")
    assert worker.request("GET", "/connectors").count("wrong") == 0


def test_offsets_are_changed_while_it_is_stopped(
    browser: Browser, worker: PageWorker, topic: str, tmp_path: Path
) -> None:
    (tmp_path / "in.txt").write_text("one\ntwo\n")
    worker.create("offsets-in", connector_class="FileStreamSource", file=f"{tmp_path}/in.txt", topic=topic)
    with open_page(browser) as page:
        page.goto(f"{worker.page}/index.html#/connectors/offsets-in/offsets")
        entry = page.get_by_role("row").filter(has_text=f"{tmp_path}/in.txt")
        expect(page.get_by_text("Offsets can be changed while the connector is stopped")).to_be_visible()
        button(page, "Look again").click()
        button(page, "Stop").click()
        expect(entry).to_contain_text('{"position":8}')
        entry.get_by_role("button", name="Change").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("textbox", name="Offset").fill('{"position": ')
        dialog.get_by_role("button", name="Write").click()
        expect(dialog.get_by_role("alert")).to_contain_text("This is not JSON")
        dialog.get_by_role("textbox", name="Offset").fill('{"position": -1}')
        dialog.get_by_role("button", name="Write").click()
        expect(dialog.get_by_role("alert")).not_to_contain_text("JSON")
        dialog.get_by_role("textbox", name="Offset").fill('{"position": 4}')
        dialog.get_by_role("button", name="Write").click()
        expect(entry).to_contain_text('{"position":4}')
        button(page, "Reset all").click()
        page.get_by_role("dialog").get_by_role("button", name="Reset").click()
        expect(page.get_by_text("It has not read anything yet.")).to_be_visible()
        assert worker.request("GET", "/connectors/offsets-in/offsets") == {"offsets": []}


def test_everything_by_keyboard(browser: Browser, worker: PageWorker, topic: str, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("one\n")
    with open_page(browser, color_scheme="dark") as page:
        page.goto(worker.page)
        expect(page.get_by_role("heading", name="Connectors")).to_be_visible()
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("main")).to_be_focused()
        # All keys are listed.
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keys")).to_contain_text("New connector")
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_be_hidden()

        def background() -> str:
            return str(page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))

        dark = background()
        page.keyboard.press("t")  # light
        assert background() != dark
        page.keyboard.press("t")  # dark, whatever the system says
        page.emulate_media(color_scheme="light")
        page.reload()
        assert background() == dark

        page.keyboard.press("n")
        expect(page.get_by_role("searchbox")).to_be_focused()
        page.keyboard.type("filestreamsource")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="New FileStreamSourceConnector")).to_be_focused()
        for name, value in (("name", "by-keys"), ("file", f"{tmp_path}/in.txt"), ("topic", topic)):
            for _ in range(10):
                if page.evaluate("document.activeElement.name") == name:
                    break
                page.keyboard.press("Tab")
            page.keyboard.type(value)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="by-keys")).to_be_focused()
        expect(row(page, "task 0")).to_contain_text("running")
        page.keyboard.press("p")
        expect(row(page, "task 0")).to_contain_text("paused")
        page.keyboard.press("p")
        expect(row(page, "task 0")).to_contain_text("running")
        page.keyboard.press("3")
        expect(page.get_by_role("link", name="Offsets")).to_have_attribute("aria-current", "page")
        page.keyboard.press("e")
        expect(page.get_by_role("heading", name="Edit by-keys")).to_be_focused()
        page.keyboard.press("g")
        page.keyboard.press("o")
        expect(page.get_by_role("heading", name="Connectors")).to_be_visible()
        page.keyboard.press("/")
        page.keyboard.type("by-keys")
        expect(page.get_by_role("table", name="Connectors").get_by_role("link")).to_have_count(1)
        page.keyboard.press("Tab")
        page.keyboard.press("j")
        expect(page.get_by_role("link", name="by-keys")).to_be_focused()


def test_any_name_is_text_and_has_an_address(browser: Browser, worker: PageWorker) -> None:
    name = "<i>a</i>/b %41 ü ?#"
    worker.create(name, connector_class="FileStreamSource", topic="t", file="/missing")
    with open_page(browser) as page:
        page.goto(worker.page)
        page.get_by_role("link", name=name, exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(name)
        button(page, "Pause").click()
        expect(row(page, "task 0")).to_contain_text("paused")
        page.reload()
        button(page, "Edit").click()
        expect(key(page, "name")).to_have_value(name)
        expect(key(page, "name")).not_to_be_editable()
        button(page, "Cancel").click()
        button(page, "Delete").click()
        page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        expect(page.get_by_text("is deleted")).to_be_visible()
    assert name not in worker.request("GET", "/connectors")
