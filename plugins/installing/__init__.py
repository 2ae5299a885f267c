"""Installs plugins written in Java: each with what it needs in a folder of its own, whole or not at all."""
