"""Medians, ratios to the other systems, the file of results, and the tables."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.results import TARGETS, medians, verdicts, write_results
from bench.table import results_table, verdicts_table

MEASURED = {
    ("file-to-topic", "connectd"): [
        {"records_per_s": speed, "startup_s": start}
        for speed, start in ((400_000.4, 0.41), (100_000.0, 0.9), (500_000.0, 0.4))
    ],
    ("file-to-topic", "kafka-connect-java"): [{"records_per_s": 100_000.0, "startup_s": 4.0}],
    ("file-to-topic", "raw-librdkafka"): [{"records_per_s": 600_000.0, "startup_s": 0.2}],
}


def test_the_median_of_each_figure_counts() -> None:
    assert medians(MEASURED)["file-to-topic", "connectd"] == {"records_per_s": 400_000, "startup_s": 0.41}


def test_a_ratio_is_judged_where_both_systems_were_measured() -> None:
    judged = {verdict.target.other: (verdict.ratio, verdict.reached) for verdict in verdicts(medians(MEASURED))}
    assert judged == {"kafka-connect-java": (4.0, True), "raw-librdkafka": (0.667, False)}


@pytest.mark.parametrize(("ratio", "reached"), [(0.1, True), (0.2, True), (0.21, False)])
def test_memory_may_be_at_most_its_ratio(ratio: float, reached: bool) -> None:
    target = next(target for target in TARGETS if target.figure == "pss_mib")
    assert target.reached_by(ratio) is reached


def test_the_file_is_a_list_with_one_object_for_each_case_and_system(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    write_results(path, MEASURED, records=1000)
    rows = json.loads(path.read_text())

    assert [(row["case"], row["system"]) for row in rows] == list(MEASURED)
    assert rows[0]["records_per_s"] == 400_000
    assert [run["startup_s"] for run in rows[0]["runs"]] == [0.41, 0.9, 0.4]
    assert rows[0]["ratios"][0] == {
        "figure": "records_per_s",
        "to": "kafka-connect-java",
        "ratio": 4.0,
        "at_least": 3.0,
        "reached": True,
    }
    assert "ratios" not in rows[1]
    assert all(row["machine"]["cpus"] and row["records"] == 1000 for row in rows)


def test_the_tables_are_aligned_and_leave_out_what_was_not_measured() -> None:
    results = medians(MEASURED)
    lines = results_table(results).splitlines()
    assert lines[0].split() == ["case", "system", "records/s", "start", "s"]
    assert lines[1].split() == ["file-to-topic", "connectd", "400,000", "0.41"]
    assert len({len(line) for line in lines}) == 1
    missed = verdicts_table(verdicts(results)).splitlines()[2]
    assert missed.split() == ["file-to-topic", "records/s", "raw-librdkafka", "0.67", ">=", "0.70", "MISSED"]
