"""Whether connectd can run under an interpreter, and if not what is said."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import connectd
from connectd.errors import ConfigException
from plugins.discovery.interpreters import OLDEST, command, path_behind
from tests.support.pythons import NEWEST, python_between
from tests.support.witness import make_environment, write_module

HERE = (sys.version_info.major, sys.version_info.minor)
EXPECTED = f"Expected connectd {connectd.__version__}, as here, to be installed there"


@pytest.fixture(autouse=True)
def only_what_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """Where the packages of a virtual environment are, of this version of Python and without connectd."""
    return make_environment(tmp_path / "environment")


def python(packages: Path) -> str:
    return str(packages.parents[2] / "bin" / "python")


def refusal(python: str) -> str:
    """What is expected of it, and what it is."""
    with pytest.raises(ConfigException) as caught:
        path_behind(python)
    assert (caught.value.key, caught.value.value) == ("plugin.python", python)
    return str(caught.value.message)


def install_connectd(packages: Path, version: str = connectd.__version__, init: str = "", **others: str) -> None:
    for name, content in {
        "connectd": f"__version__ = {version!r}\n{init}",
        "plugins": "",
        "tasks": "",
        **others,
    }.items():
        write_module(packages / name, "__init__", content)


def install_requirements(packages: Path, *names: str) -> None:
    for name in names:
        write_module(packages, name, "")


def test_an_environment_of_the_same_python_gets_connectd_from_here(packages: Path, tmp_path: Path) -> None:
    write_module(packages, "msgspec_of_its_own", "")
    path = path_behind(python(packages))
    write_module(
        tmp_path, "asked", "def main(*words):\n    import connectd, msgspec, msgspec_of_its_own\n    print(*words)\n"
    )
    done = subprocess.run(
        command(python(packages), [*path, str(tmp_path)], "asked", "two", "words"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "two words\n"), done.stderr


def test_one_that_has_connectd_needs_nothing(packages: Path) -> None:
    install_connectd(packages)
    install_requirements(packages, "confluent_kafka", "msgspec", "orjson", "setproctitle", "structlog")
    assert path_behind(python(packages)) == []


def test_another_version_of_connectd_is_refused(packages: Path) -> None:
    install_connectd(packages, version="99.1")
    assert refusal(python(packages)) == f"{EXPECTED}; connectd 99.1 is"


def test_connectd_without_what_it_needs_is_refused(packages: Path) -> None:
    install_connectd(packages)
    install_requirements(packages, "msgspec", "orjson", "structlog")
    assert refusal(python(packages)) == f"{EXPECTED} with what it needs; confluent_kafka, setproctitle cannot be found"


def test_connectd_that_cannot_be_imported_is_refused(packages: Path) -> None:
    install_connectd(packages, init="import no_such_module")
    assert refusal(python(packages)) == (
        f"{EXPECTED}; it cannot be imported: ModuleNotFoundError: No module named 'no_such_module'"
    )


def test_modules_with_names_of_connectds_are_refused(packages: Path, tmp_path: Path) -> None:
    write_module(packages / "tasks", "__init__", "")
    assert "another module called 'tasks', which is a name of connectd's" in refusal(python(packages))
    write_module(tmp_path / "elsewhere" / "plugins", "__init__", "")
    install_connectd(packages)
    install_requirements(packages, "confluent_kafka", "msgspec", "orjson", "setproctitle", "structlog")
    (packages / "plugins" / "__init__.py").unlink()
    (packages / "plugins").rmdir()
    (packages / "more.pth").write_text(f"{tmp_path / 'elsewhere'}\n")
    assert refusal(python(packages)) == f"{EXPECTED}; another module called 'plugins' hides that of connectd"


def test_another_version_of_python_must_have_connectd_itself() -> None:
    other = python_between(OLDEST, (3, NEWEST), but=HERE)
    assert "so that it cannot have it from Python" in refusal(other)


def test_an_old_python_is_refused() -> None:
    assert refusal(python_between((2, 7), (3, 10))).startswith("Expected Python 3.11 or newer; this is Python ")


def test_what_is_no_interpreter_is_refused(tmp_path: Path) -> None:
    no_program = tmp_path / "python"
    no_program.write_text("")
    assert (
        refusal(str(no_program))
        == "Expected the path of a Python interpreter; it cannot be executed: Permission denied"
    )
    no_program.write_text("#!/bin/sh\necho goodbye >&2\nexit 3\n")
    no_program.chmod(0o755)
    assert refusal(str(no_program)) == "Expected the path of a Python interpreter; it ended with exit code 3, goodbye"
    assert refusal(str(tmp_path / "nowhere")) == "Expected the path of a Python interpreter; there is no such program"
