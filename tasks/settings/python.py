"""`plugin.python`, of workers and of connectors: what may be said of an interpreter without running it."""

from __future__ import annotations

import os
from typing import Any, Final

from connectd.config import ConfigDef, Importance, LambdaValidator, Type, Width
from connectd.errors import ConfigException
from plugins.python_setting import EXPECTED, PLUGIN_PYTHON

GROUP: Final = "Common"


def _check(name: str, value: Any) -> None:
    if value is not None and not os.access(os.path.expanduser(value), os.X_OK):  # noqa: PTH111 (as text)
        raise ConfigException(name, value, f"{EXPECTED}; there is no such program")


PYTHON_VALIDATOR: Final = LambdaValidator.with_(_check, lambda: "the path of a Python interpreter")


def define_connector_python(definition: ConfigDef) -> None:
    """The interpreter of one connector; that of its plugin folder or of the worker by default."""
    definition.define(
        PLUGIN_PYTHON,
        Type.STRING,
        None,
        PYTHON_VALIDATOR,
        Importance.LOW,
        "The Python interpreter that the processes of this connector run under, such as `/opt/orders/.venv/bin/python`. Left "
        "out, it is that of its plugin folder, if that has an environment in `.venv`, or else the worker's. (connectd only)",
        group=GROUP,
        width=Width.LONG,
    )
