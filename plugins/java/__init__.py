"""Plugins written in Java: found in the jars of plugin folders, without a Java virtual machine."""
