"""The files and commands of a tutorial page, taken from the page itself."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"^```(?P<language>\w+)(?: title=(?P<title>\S+))?\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Tutorial:
    """`files` by their path, `commands` in their order, `blocks` of other languages by language."""

    files: dict[str, str]
    commands: list[str]
    blocks: dict[str, str]

    @classmethod
    def read(cls, page: str) -> Tutorial:
        """Read a page below docs/."""
        found = list(_BLOCK.finditer((Path(__file__).parents[2] / "docs" / page).read_text(encoding="utf-8")))
        return cls(
            files={block["title"]: block["text"] for block in found if block["title"]},
            commands=[
                line.removeprefix("$ ")
                for block in found
                if block["language"] == "console"
                for line in block["text"].splitlines()
            ],
            blocks={block["language"]: block["text"] for block in found if not block["title"]},
        )

    def write_files(self, folder: Path) -> None:
        """Make all files as the reader would."""
        for name, text in self.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")

    def command(self, beginning: str) -> str:
        """The only command that begins so."""
        (command,) = (each for each in self.commands if each.startswith(beginning))
        return command


def environment() -> dict[str, str]:
    """With the programs of this Python first, as in the reader's activated environment."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def run(command: str, folder: Path, timeout_s: float = 120) -> str:
    """Run one command in a shell; returns what it prints, fails if it fails."""
    done = subprocess.run(
        command, shell=True, cwd=folder, env=environment(), capture_output=True, text=True, timeout=timeout_s
    )
    assert done.returncode == 0, f"{command}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout
