"""The reference page of the documentation."""

from pathlib import Path

from supervisor.restarts import restart_config_def
from tasks.settings.reference import reference_page

PAGE = Path(__file__).parents[3] / "docs" / "configuration.md"


def test_the_page_is_what_the_declarations_say() -> None:
    expected = reference_page({"Restarts": restart_config_def()})
    assert PAGE.read_text("utf-8") == expected, "run: connectd config-docs > docs/configuration.md"


def test_every_key_has_a_description() -> None:
    sections = PAGE.read_text("utf-8").split("\n#### ")[1:]
    for section in sections:
        assert not section.split("\n\n")[1].startswith("- "), section
