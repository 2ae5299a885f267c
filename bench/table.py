"""The table that a person reads after the benchmarks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench.results import Figures, Verdict

_COLUMNS = {
    "records_per_s": "records/s",
    "cpu_s_per_million": "CPU s/million",
    "pss_mib": "PSS MiB",
    "rss_mib": "RSS MiB",
    "pss_at_rest_mib": "at rest PSS",
    "rss_at_rest_mib": "at rest RSS",
    "startup_s": "start s",
    "startup_to_sink_s": "to sink s",
}


def results_table(results: Mapping[tuple[str, str], Figures]) -> str:
    """One line for each case and system."""
    columns = [name for name in _COLUMNS if any(name in figures for figures in results.values())]
    rows = [["case", "system", *(_COLUMNS[name] for name in columns)]]
    for (case, system), figures in results.items():
        rows.append([case, system, *(_cell(figures.get(name)) for name in columns)])
    return aligned(rows)


def verdicts_table(verdicts: Sequence[Verdict]) -> str:
    """One line for each target of connectd."""
    rows = [["case", "connectd's", "to that of", "ratio", "target", ""]]
    for verdict in verdicts:
        target = verdict.target
        bound = f"{'<=' if target.at_most else '>='} {target.ratio:.2f}"
        figure = _COLUMNS[target.figure]
        reached = "reached" if verdict.reached else "MISSED"
        rows.append([target.case, figure, target.other, f"{verdict.ratio:.2f}", bound, reached])
    return aligned(rows)


def _cell(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells in columns, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    numeric = [any(row[index][:1].isdigit() for row in rows[1:]) for index in range(len(widths))]
    lines = []
    for row in rows:
        cells = zip(row, widths, numeric, strict=True)
        lines.append(
            "  ".join(cell.rjust(width) if right else cell.ljust(width) for cell, width, right in cells).rstrip()
        )
    return "\n".join(lines)
