"""Jars from Maven's repositories, pinned by lock files and kept in the user's cache."""
