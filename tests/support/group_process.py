"""A member of a group as a process: its settings are the first line of standard input, its events the lines of its output.

Other lines of the input are orders; it leaves the group at the end of the input.
"""

from __future__ import annotations

import asyncio
import json
import sys

import msgspec
import structlog

from tests.support.group import Event, LocalWorker, group_settings, new_ledger

SESSION_EVERY_S = 0.1


async def main() -> None:
    given = json.loads(sys.stdin.readline())
    settings = group_settings(given["client"], given["group"], given["name"], **given["more"])
    worker = await LocalWorker(new_ledger(say), settings).start()
    sessions = asyncio.create_task(tell_session(worker))
    while line := await asyncio.to_thread(sys.stdin.readline):
        if json.loads(line).get("rejoin"):
            worker.member.request_rejoin("the test asks for it")
    sessions.cancel()
    await worker.stop()


async def tell_session(worker: LocalWorker) -> None:
    while True:
        worker.note_session()
        await asyncio.sleep(SESSION_EVERY_S)


def say(event: Event) -> None:
    sys.stdout.write(msgspec.json.encode(event).decode() + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(main())
