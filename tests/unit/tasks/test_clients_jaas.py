"""`sasl.jaas.config` as Java reads it."""

import pytest

from tasks.clients.jaas import parse_jaas


@pytest.mark.parametrize(
    ("text", "name", "options"),
    [
        ("a.b.Module required;", "Module", {}),
        (
            "a.Module\n  required\n  user=\"x y\"\n  other='z' // said\n  /* more */ plain=word-1.$;",
            "Module",
            {"user": "x y", "other": "z", "plain": "word-1.$"},
        ),
        (r'M sufficient password="a\"b\\c\nd";', "M", {"password": 'a"b\\c\nd'}),
        ('M REQUIRED password="";', "M", {"password": ""}),
    ],
)
def test_the_module_and_its_options(text: str, name: str, options: dict[str, str]) -> None:
    module = parse_jaas(text)
    assert (module.name, module.options) == (name, options)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Module;",
        "Module required",
        "Module needed;",
        "Module required s3cret;",
        "Module required password=;",
        "Module required password s3cret=;",
        'Module required password="s3cret;',
        "Module required password=s3cret#;",
        "One required; Two required;",
    ],
)
def test_what_is_no_entry_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        parse_jaas(text)
    assert "s3cret" not in str(refused.value)


def test_options_are_hidden_when_a_module_is_printed() -> None:
    assert "s3cret" not in repr(parse_jaas("Module required password=s3cret;"))
