"""Plugins written in Java: found in the jars of plugin folders, without a Java virtual machine."""

from plugins.java.finding import find_java_plugin, java_plugins
from plugins.java.plugin import JavaPlugin

__all__ = ["JavaPlugin", "find_java_plugin", "java_plugins"]
