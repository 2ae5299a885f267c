"""The settings about Java, of workers and of connectors: what may be said of them without running it."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any, Final

from connectd.config import ConfigDef, Importance, LambdaValidator, Type, Width
from connectd.errors import ConfigException
from plugins.java.settings import JAVA, JAVA_HOME, JAVA_OPTIONS, PLUGIN_RUNTIME, PYTHON

_GROUP: Final = "Java"


def _check_home(name: str, value: Any) -> None:
    if value is not None and not os.access(Path(value).expanduser() / "bin" / "java", os.X_OK):
        raise ConfigException(name, value, "Expected the folder of a Java runtime, which has a program bin/java")


def _check_options(name: str, value: Any) -> None:
    try:
        options(value or "")
    except ValueError as error:
        raise ConfigException(name, value, f"Expected options as on a command line: {error}") from None


def _check_runtime(name: str, value: Any) -> None:
    if value not in (None, PYTHON, JAVA):
        raise ConfigException(name, value, f"Expected {PYTHON} or {JAVA}")


def options(text: str) -> list[str]:
    """The options one by one; quotes are as in a shell. Raises ValueError for quotes that are not closed."""
    return shlex.split(text)


_HOME: Final = LambdaValidator.with_(_check_home, lambda: "the folder of a Java runtime")
_OPTIONS: Final = LambdaValidator.with_(_check_options, lambda: "options of the java command")
_RUNTIME: Final = LambdaValidator.with_(_check_runtime, lambda: f"[{PYTHON}, {JAVA}]")


def define_java(definition: ConfigDef) -> None:
    """Declare them; what a connector says comes before what its worker says."""
    definition.define(
        PLUGIN_RUNTIME,
        Type.STRING,
        None,
        _RUNTIME,
        Importance.LOW,
        "Which connector is meant where there is one of that name in Python and one in Java: `python` or `java`. Left out, it "
        "is the one in Python. (connectd only)",
        group=_GROUP,
    )
    definition.define(
        JAVA_HOME,
        Type.STRING,
        None,
        _HOME,
        Importance.LOW,
        "The folder of the Java runtime, 17 or newer, that connectors written in Java run on, such as "
        "`/usr/lib/jvm/java-21-openjdk-amd64`. Left out, it is the one of `connectd[java]`. (connectd only)",
        group=_GROUP,
        width=Width.LONG,
    )
    definition.define(
        JAVA_OPTIONS,
        Type.STRING,
        "",
        _OPTIONS,
        Importance.LOW,
        "Options of the Java virtual machine of a connector written in Java and of each of its tasks, such as `-Xmx1g` for a "
        "larger heap than the 512 MiB that each has otherwise; see docs/java-connectors.md. Those of a connector come after "
        "those of the worker, and so before them where they differ. They are shown by `ps`. (connectd only)",
        group=_GROUP,
        width=Width.LONG,
    )
