"""Runs a standalone worker with stand-in children: `python -m tests.support.standalone WORKER CONNECTOR...`."""

from __future__ import annotations

import asyncio
import os
import sys

from setproctitle import setproctitle

from supervisor.logs.log import start_log
from supervisor.standalone import StandaloneWorker
from tasks.messages import LogSettings

ENTRY = os.environ.get("STANDIN_ENTRY", "tests.support.standin:main")


async def _run() -> int:
    return await StandaloneWorker(sys.argv[1], sys.argv[2:], LogSettings(levels={}), ENTRY).run()


if __name__ == "__main__":
    setproctitle("connectd: supervisor")
    start_log("json", {})
    sys.exit(asyncio.run(_run()))
