"""Connectors and tasks under supervision: states, restarts, and the worker that brings them into line with what is wanted."""
