"""Formats a data folder with Kafka's own StorageTool."""

from __future__ import annotations

import base64
import shutil
import subprocess
import uuid

from .data_folder import DataFolder
from .failures import failure
from .files import write_private, write_properties
from .runtime import KafkaRuntime
from .security import Users
from .settings import BrokerOptions, log4j2_properties, server_properties


def format_folder(runtime: KafkaRuntime, folder: DataFolder) -> None:
    """Format the folder with Kafka's StorageTool unless it is; a format that was interrupted starts afresh."""
    folder.note_version(runtime.version)
    if folder.topics.exists():
        return
    draft = folder.path / ".formatting"
    shutil.rmtree(draft, ignore_errors=True)
    users = Users.of(folder.path / "users.json")
    server, log4j2, arguments = (
        folder.path / name for name in ("server.properties", "log4j2.properties", ".arguments")
    )
    write_properties(server, server_properties(BrokerOptions(), draft, BrokerOptions().port + 1, {}))
    write_private(log4j2, log4j2_properties().replace("level=info", "level=error"))
    words = ["format", "--cluster-id", _new_cluster_id(), "--config", str(server), *users.scram_arguments()]
    quick = ["-XX:TieredStopAtLevel=1"]
    command = runtime.command("kafka.tools.StorageTool", *words, heap="256m", log4j2=log4j2, options=quick)
    try:
        # In a file, since the passwords must not show in a list of processes.
        write_private(arguments, "\n".join(map(_quoted, command[1:])))
        done = subprocess.run([command[0], f"@{arguments}"], cwd=folder.path, capture_output=True, text=True)
    finally:
        arguments.unlink(missing_ok=True)
    if done.returncode != 0:
        write_private(folder.log, done.stdout + done.stderr)
        raise failure(folder)
    draft.replace(folder.topics)


def _quoted(word: str) -> str:
    """One word for an argument file of the java command."""
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _new_cluster_id() -> str:
    """16 random bytes as Kafka writes an id; not one that begins with a dash, which looks like an option."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text
