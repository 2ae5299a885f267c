"""docs/write-a-connector.md: its files and commands work as they are printed, without a Kafka."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from plugins.discovery import list_plugins
from tests.support.tutorial import Tutorial, run


@pytest.fixture
def page() -> Tutorial:
    return Tutorial.read("write-a-connector.md")


@pytest.fixture
def folder(page: Tutorial, tmp_path: Path) -> Path:
    page.write_files(tmp_path)
    return tmp_path


def test_the_connectors_are_small(page: Tutorial) -> None:
    for file in ("plugins/sqlite-source/sqlite_source.py", "plugins/sqlite-sink/sqlite_sink.py"):
        assert len(page.files[file].splitlines()) < 60


def test_the_tests_of_the_page_pass(page: Tutorial, folder: Path) -> None:
    assert "4 passed" in run(page.command("python -m pytest"), folder)


def test_the_plugins_are_found_and_the_files_are_right(page: Tutorial, folder: Path) -> None:
    run(page.command("python shop.py"), folder)
    listed = run(page.command("connectd plugins"), folder)
    assert "sqlite_source.SqliteSourceConnector" in listed
    assert "sqlite_sink.SqliteSinkConnector" in listed
    assert "broken" not in listed
    run(page.command("connectd check"), folder)


def test_as_a_package_it_is_found_by_its_entry_point(page: Tutorial, folder: Path) -> None:
    group = tomllib.loads(page.blocks["toml"])["project"]["entry-points"]
    ((name, target),) = group["connectd.plugins"].items()
    installed = folder / "plugins/sqlite-source/its_package-3.2.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: its-package\nVersion: 3.2\n")
    (installed / "RECORD").write_text("sqlite_source.py,,\n")
    (installed / "entry_points.txt").write_text(f"[connectd.plugins]\n{name} = {target}\n")
    found = [each for each in list_plugins([str(folder / "plugins")]) if each.location.endswith("sqlite-source")]
    assert [(each.aliases[0], each.kind, each.error) for each in found] == [("SqliteSource", "source", None)]
