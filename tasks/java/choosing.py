"""Whether a connector is one in Java."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectd.errors import PluginNotFound
from plugins.discovery import builtin
from plugins.discovery.finding import named_in_python
from plugins.discovery.kinds import PluginKind
from plugins.java.finding import find_java_plugin, on_class_path
from plugins.java.plugin import JavaPlugin
from plugins.java.settings import JAVA, PLUGIN_RUNTIME, PYTHON
from tasks.settings.connector import CONNECTOR_CLASS


def java_connector(
    config: Mapping[str, str | None], worker_config: Mapping[str, str], plugin_path: Sequence[str]
) -> JavaPlugin | None:
    """The Java plugin that is meant by `connector.class`, None if that is one in Python, or nobody's name.

    One in Python comes first, unless `plugin.runtime` says otherwise. Raises PluginNotFound if it says `java` and there is none.
    """
    name = (config.get(CONNECTOR_CLASS) or "").strip()
    wanted = config.get(PLUGIN_RUNTIME) or worker_config.get(PLUGIN_RUNTIME)
    if wanted == PYTHON or (wanted != JAVA and name in builtin.NAMES):
        return None
    found = find_java_plugin(name, plugin_path, PluginKind.SOURCE, PluginKind.SINK) or on_class_path(name)
    if found is None and config.get(PLUGIN_RUNTIME) == JAVA:
        raise PluginNotFound(f"No connector in Java is called {name!r}: plugin.path has no jar with it")
    if found is not None and wanted != JAVA and found.name != name and named_in_python(name, plugin_path):
        return None  # a short name that a plugin in Python has, too
    return found
