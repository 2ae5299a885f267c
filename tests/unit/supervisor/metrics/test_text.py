"""The text format, read back by Prometheus' own library."""

from __future__ import annotations

import math

from prometheus_client.parser import text_string_to_metric_families

from supervisor.metrics import families
from supervisor.metrics.text import Family, labels, with_label

AWKWARD = 'a "quoted" \\ back\nslash, ä'


def test_labels_are_read_back_as_they_were() -> None:
    written = with_label(labels({"connector": AWKWARD, "task": ""}), "topic", AWKWARD)
    (family,) = text_string_to_metric_families(Family("m", "gauge", "What it is").text([(written, 2.5)]))
    assert family.samples[0].labels == {"connector": AWKWARD, "topic": AWKWARD}
    assert family.samples[0].value == 2.5


def test_a_family_without_series_is_left_out() -> None:
    assert Family("m", "gauge", "What it is").text([]) == ""


def test_large_numbers_keep_their_digits() -> None:
    (family,) = text_string_to_metric_families(Family("m_total", "counter", "What it is").text([("", 2**53 + 0.0)]))
    assert family.samples[0].value == 2**53


def test_numbers_are_read_back_as_they_were() -> None:
    values = [0.0, -1.5, 0.1, 1e-9, 1.7976931348623157e308, 123456789.125]
    series = [(labels({"n": str(number)}), value) for number, value in enumerate(values)]
    (family,) = text_string_to_metric_families(Family("m", "gauge", "What it is").text(series))
    assert [sample.value for sample in family.samples] == values


def test_what_is_no_number_is_told_as_such() -> None:
    series = [(labels({"n": str(value)}), value) for value in (math.nan, math.inf, -math.inf, 2.0)]
    (family,) = text_string_to_metric_families(Family("m", "gauge", "What it is").text(series))
    nan, *others = (sample.value for sample in family.samples)
    assert math.isnan(nan)
    assert others == [math.inf, -math.inf, 2.0]


def test_columns_are_read_back_series_by_series() -> None:
    """Also where all have the same value, and names and labels have in them what means something elsewhere."""
    columns = [
        ([labels({"n": "100 %s"}), labels({"n": AWKWARD})], [1.0, 2.0]),
        ([labels({"n": "c"}), labels({"n": "d"}), ""], (0.0, 0.0, 0.0)),
        ([labels({"n": "e"}), labels({"n": "f"})], [math.nan, math.nan]),
        ([], []),
    ]
    (family,) = text_string_to_metric_families(Family("m", "gauge", "What it is").text_of(columns))
    found = {sample.labels.get("n", ""): sample.value for sample in family.samples}
    assert math.isnan(found.pop("e")) and math.isnan(found.pop("f"))
    assert found == {"100 %s": 1.0, AWKWARD: 2.0, "c": 0.0, "d": 0.0, "": 0.0}


def test_names_follow_the_rules_of_prometheus() -> None:
    declared = [*families.TASKS, *families.CLIENTS, *families.UNITS]
    assert len({family.name for family in declared}) == len(declared)
    for family in declared:
        assert (family.type == "counter") == family.name.endswith("_total"), family.name
        assert family.doc and not family.doc.endswith(".")
