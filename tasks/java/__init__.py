"""Connectors written in Java: each connector and each task in a Java virtual machine, the child of its process."""
