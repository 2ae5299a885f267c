"""The benchmark of Java connectors: what counts as reached, and that measuring one case again leaves the others' figures."""

from __future__ import annotations

import json
from pathlib import Path

from bench.java import TARGETS, verdicts, write_results
from bench.java_cases import CASES


def test_every_target_is_one_of_a_case_that_there_is() -> None:
    assert {target.case for target in TARGETS} <= CASES.keys()


def test_a_target_is_a_number_or_what_java_reaches() -> None:
    assert [each["reached"] for each in verdicts("idle", {"connectd": {"task_pss_mib": 130.0}})] == [True]
    assert [each["reached"] for each in verdicts("idle", {"connectd": {"task_pss_mib": 130.1}})] == [False]
    both = {"connectd": {"events_per_s": 9.9}, "kafka-connect-java": {"events_per_s": 10.0}}
    assert verdicts("debezium", both) == [{"figure": "events_per_s", "at_least": 10.0, "reached": False}]
    assert verdicts("debezium", {"connectd": {"events_per_s": 9.9}}) == []


def test_figures_of_other_cases_stay(tmp_path: Path) -> None:
    path = tmp_path / "java.json"
    for case, value in (("debezium", 1), ("start", 2), ("debezium", 3)):
        write_results(path, [{"case": case, "a": value}])
    assert json.loads(path.read_text()) == [{"case": "start", "a": 2}, {"case": "debezium", "a": 3}]
