"""What children inherit from the forkserver."""

from __future__ import annotations

import subprocess
import sys

_PREPARED = """
import sys, threading
import tasks.entry
from tasks.prepared import prepare
prepare()
before = set(sys.modules)
from plugins.discovery import find_class
for name in ("FileStreamSource", "FileStreamSink", "StringConverter", "JsonConverter", "SimpleHeaderConverter"):
    find_class(name)
print(sorted(sys.modules.keys() - before), threading.active_count())
"""


def test_children_import_nothing_for_common_plugins_and_are_forked_from_a_process_with_one_thread() -> None:
    ran = subprocess.run([sys.executable, "-c", _PREPARED], capture_output=True, text=True, check=True)

    assert ran.stdout == "[] 1\n"
