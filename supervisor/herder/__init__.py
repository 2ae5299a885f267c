"""Herders decide what a worker runs: the standalone one by itself, the distributed one together with its group."""
