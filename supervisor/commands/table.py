"""Tables for terminals and pipes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

# Wide enough that nothing is cut off in a pipe.
_PIPE_WIDTH: Final = 10_000

_STATE_STYLES: Final = {
    "RUNNING": "green",
    "PAUSED": "yellow",
    "STOPPED": "yellow",
    "RESTARTING": "yellow",
    "UNASSIGNED": "yellow",
    "FAILED": "bold red",
}


def print_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns two blanks apart; on a terminal states are coloured and long entries are folded to its width."""
    console = Console(highlight=False, emoji=False, markup=False)
    if not console.is_terminal:
        console.width = _PIPE_WIDTH
    console.print(plain_table(heads, rows), soft_wrap=not console.is_terminal)


def plain_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """The table itself, for what shows more than one thing."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    for head in heads:
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*(Text(entry, _STATE_STYLES.get(entry, "")) for entry in row))
    return table
