"""A source task that ends its process in the middle of a call, as carelessly written plugins do."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping
from typing import Any

from connectd.tasks import SourceTask


class ExitingTask(SourceTask):
    """Leaves a thread behind that does not end, and calls `sys.exit`."""

    def start(self, props: Mapping[str, str]) -> None:
        threading.Thread(target=threading.Event().wait).start()
        sys.exit(0)

    def poll(self) -> Any:
        return None
