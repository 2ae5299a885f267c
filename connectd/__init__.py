"""The author API: everything that a connector or another plugin imports."""

__version__ = "0.1.0"
