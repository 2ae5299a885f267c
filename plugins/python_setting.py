"""The setting that names the interpreter of plugins, apart from what it takes to use one: the supervisor only reads it."""

from __future__ import annotations

from typing import Final

PLUGIN_PYTHON: Final = "plugin.python"
EXPECTED: Final = "Expected the path of a Python interpreter"
