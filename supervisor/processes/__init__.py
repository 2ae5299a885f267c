"""Child processes of the supervisor: started by a forkserver, heard over a channel, limited by the kernel, and how each ended."""

from __future__ import annotations

import sys
from importlib import import_module

# `multiprocess` pickles with dill where there is one, and nothing is pickled here: that is a megabyte in every process.
_hidden = sys.modules.pop("dill", None)
sys.modules["dill"] = None  # type: ignore[assignment]
try:
    import_module("multiprocess.reduction")
finally:
    del sys.modules["dill"]
    if _hidden is not None:
        sys.modules["dill"] = _hidden
