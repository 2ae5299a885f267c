"""A source that talks in every way there is, made for tests: it obeys words in a file, one line each."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
import warnings
from collections.abc import Mapping
from pathlib import Path

from connectd import SourceConnector, SourceRecord, SourceTask
from connectd.config import ConfigDef

log = logging.getLogger("talkative")


class TalkativeTask(SourceTask):
    """`orders` is the file; what is in it is obeyed by every task, from its start on."""

    version = "1"

    def start(self, props: Mapping[str, str]) -> None:
        self._orders = Path(f"{props['orders']}-{props['number']}")
        self._obeyed = 0
        if "forgets" in props and self._orders.exists():
            self._obeyed = len(self._orders.read_text().splitlines())

    def poll(self) -> list[SourceRecord] | None:
        orders = self._orders.read_text().splitlines() if self._orders.exists() else []
        for order in orders[self._obeyed :]:
            self._obey(*order.split(maxsplit=1))
        self._obeyed = len(orders)
        time.sleep(0.05)
        return None

    def stop(self) -> None:
        pass

    def _obey(self, verb: str, words: str = "") -> None:
        match verb:
            case "print":
                print(words)
            case "complain":
                print(words, file=sys.stderr)
            case "write":
                os.write(1, f"{words} to 1\n".encode())
                os.write(2, f"{words} to 2\n".encode())
            case "warn":
                warnings.warn(words, stacklevel=1)
            case "log":
                log.error(words)
            case "whisper":
                log.debug(words)
            case "flood":
                for number in range(int(words)):
                    log.info("line %d %s", number, "x" * 100)
            case "raise":
                raise RuntimeError(words)
            case "die":
                log.info("last words")
                os.kill(os.getpid(), signal.SIGKILL)


class TalkativeSource(SourceConnector):
    """Plans as many tasks as are allowed."""

    version = "1"

    def start(self, props: Mapping[str, str]) -> None:
        self._props = dict(props)
        print("the connector prints")

    def task_class(self) -> type[TalkativeTask]:
        return TalkativeTask

    def task_configs(self, max_tasks: int) -> list[dict[str, str]]:
        return [{**self._props, "number": str(number)} for number in range(max_tasks)]

    def config(self) -> ConfigDef:
        return ConfigDef()

    def stop(self) -> None:
        pass
