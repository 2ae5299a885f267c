"""Finds plugins by name and lists them: built-ins, entry points of the environment, and the folders of `plugin.path`."""

from plugins.discovery.finding import find_class, interpreter_of
from plugins.discovery.found import FoundPlugin
from plugins.discovery.kinds import PluginKind
from plugins.discovery.listing import list_plugins

__all__ = ["FoundPlugin", "PluginKind", "find_class", "interpreter_of", "list_plugins"]
