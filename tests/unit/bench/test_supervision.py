"""The benchmark of supervision: what counts as reached, and that measuring one case again leaves the others' figures."""

from __future__ import annotations

import json
from pathlib import Path

from bench.supervision import TARGETS, verdicts, write_result
from bench.supervision_cases import CASES


def test_every_target_is_one_of_a_case_that_there_is() -> None:
    assert {case for target in TARGETS for case in target.cases} <= CASES.keys()


def test_a_target_is_reached_by_what_does_not_exceed_it() -> None:
    found = verdicts("restart", {"polling_again_median_ms": 50.0, "polling_again_worst_ms": 200.1})
    assert [(each["at_most"], each["reached"]) for each in found] == [(50, True), (200, False)]


def test_figures_of_other_cases_stay(tmp_path: Path) -> None:
    path = tmp_path / "supervision.json"
    for row in ({"case": "reload", "a": 1}, {"case": "restart", "a": 2}, {"case": "reload", "a": 3}):
        write_result(path, row)
    assert json.loads(path.read_text()) == [{"case": "restart", "a": 2}, {"case": "reload", "a": 3}]
