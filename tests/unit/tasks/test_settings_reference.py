"""The reference page of the documentation."""

from pathlib import Path

from click.testing import CliRunner

from supervisor.commands.config_docs import config_docs

PAGE = Path(__file__).parents[3] / "docs" / "configuration.md"


def test_the_page_is_what_the_declarations_say() -> None:
    printed = CliRunner().invoke(config_docs, catch_exceptions=False).output
    assert PAGE.read_text("utf-8") == printed, "run: connectd config-docs > docs/configuration.md"


def test_every_key_has_a_description() -> None:
    sections = PAGE.read_text("utf-8").split("\n#### ")[1:]
    for section in sections:
        assert not section.split("\n\n")[1].startswith("- "), section
