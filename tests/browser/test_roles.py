"""Whoever looks sees what their role permits, and why the rest is not there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import PageWorker, open_page, page_worker
from tests.support.kafka import TestKafka

PASSWORDS = {"rita": "read", "oscar": "operate", "ada": "admin"}
EXTENSION = "org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension"
SINK = '{"name": "c", "config": {"connector.class": "FileStreamSink", "topics": "t", "service.password": "hunter2"}}'


@pytest.fixture(scope="module")
def worker(kafka: TestKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageWorker]:
    folder = tmp_path_factory.mktemp("roles")
    (folder / "users.properties").write_text("".join(f"{name}={word}\n" for name, word in PASSWORDS.items()))
    with page_worker(
        kafka,
        folder,
        rest_extension_classes=EXTENSION,
        rest_basic_auth_file=str(folder / "users.properties"),
        rest_roles_read="*",
        rest_roles_operate="oscar",
        rest_roles_admin="ada",
    ) as found:
        yield found


def test_everybody_sees_what_their_role_permits(browser: Browser, worker: PageWorker) -> None:
    def login(name: str) -> dict[str, str]:
        return {"username": name, "password": PASSWORDS[name]}

    with open_page(browser) as page:
        assert page.request.get(worker.page).status == 401

    with open_page(browser, http_credentials=login("ada")) as page:
        page.goto(f"{worker.page}/index.html#/new/FileStreamSink")
        expect(page.get_by_text("ada, role admin")).to_be_visible()
        page.get_by_role("button", name="As JSON").click()
        page.get_by_role("textbox", name="Configuration as JSON").fill(SINK)
        page.get_by_role("button", name="Create").click()
        expect(page.get_by_role("heading", name="c", exact=True)).to_be_visible()
        page.get_by_role("link", name="Configuration").click()
        expect(page.get_by_role("cell", name="hunter2")).to_be_visible()

    actions = {
        "rita": set[str](),
        "oscar": {"Pause", "Stop", "Restart all", "Restart connector"},
    }
    for name, buttons in actions.items():
        with open_page(browser, http_credentials=login(name)) as page:
            page.goto(f"{worker.page}/index.html#/connectors/c/config")
            expect(page.get_by_text(f"{name}, role {PASSWORDS[name]}")).to_be_visible()
            expect(page.get_by_role("cell", name="[hidden]")).to_be_visible()
            assert "hunter2" not in page.content()
            group = page.get_by_role("group", name="Actions")
            assert {each for each in group.get_by_role("button").all_text_contents() if each} >= buttons
            assert not {"Edit", "Delete"} & set(group.get_by_role("button").all_text_contents())
            assert group.get_by_role("button").count() > 0 or not buttons
            assert page.get_by_role("link", name="New connector").count() == 0
            page.goto(f"{worker.page}/index.html#/connectors/c/edit")
            expect(page.get_by_text("Changing a configuration needs the role admin")).to_be_visible()
            page.goto(f"{worker.page}/index.html#/connectors/c/offsets")
            expect(page.get_by_text("Changing offsets needs the role admin")).to_be_visible()

    with open_page(browser, http_credentials=login("oscar")) as page:
        page.goto(f"{worker.page}/index.html#/connectors/c")
        page.get_by_role("button", name="Pause", exact=True).click()
        expect(page.get_by_role("button", name="Resume", exact=True)).to_be_visible()
