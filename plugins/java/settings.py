"""The settings about Java, apart from what they mean: the names that all rooms use."""

from __future__ import annotations

from typing import Final

# Which of two plugins of one name is meant: the one in Python, or the one in Java.
PLUGIN_RUNTIME: Final = "plugin.runtime"
PYTHON: Final = "python"
JAVA: Final = "java"

JAVA_HOME: Final = "java.home"
JAVA_OPTIONS: Final = "java.options"
