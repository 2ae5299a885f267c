"""What connector files would change, by name: a pure function."""

from __future__ import annotations

from pathlib import Path

import pytest

from supervisor.configuration.difference import Difference, difference, read_all

Files = dict[str, str]  # content by file name


def compare(folder: Path, files: Files, running: dict[str, str], sources: Files) -> tuple[Difference, set[str]]:
    """With connectors that differ in `v` alone; a content is `name v`, or something that is wrong. Also the wrong files."""
    paths = []
    for name, content in files.items():
        path = folder / name
        words = content.split()
        path.write_text(f"name={words[0]}\nv={words[1]}\n" if len(words) == 2 else content)
        paths.append(str(path))
    came_from = {name: str(folder / file) for name, file in sources.items()}
    reading = read_all(paths, came_from)
    configs = {name: {"name": name, "v": v} for name, v in running.items()}
    found = difference(reading, configs, came_from, lambda config: config)
    return found, {Path(path).name for path in reading.wrong}


def names(found: Difference) -> dict[str, list[str]]:
    """Without what there is nothing of."""
    files = {"new": found.new, "changed": found.changed, "same": found.same}
    all_names = {what: [file.name for file in some] for what, some in files.items()} | {"gone": found.gone}
    return {what: some for what, some in all_names.items() if some}


@pytest.mark.parametrize(
    ("files", "running", "sources", "expected", "wrong"),
    [
        pytest.param({"a": "c 1"}, {}, {}, {"new": ["c"]}, set(), id="new"),
        pytest.param({"a": "c 1"}, {"c": "1"}, {"c": "a"}, {"same": ["c"]}, set(), id="same"),
        pytest.param({"a": "c 2"}, {"c": "1"}, {"c": "a"}, {"changed": ["c"]}, set(), id="changed"),
        pytest.param({}, {"c": "1"}, {"c": "a"}, {"gone": ["c"]}, set(), id="gone"),
        pytest.param({}, {"c": "1"}, {}, {}, set(), id="not from a file, so nothing is gone"),
        pytest.param({}, {}, {"c": "a"}, {}, set(), id="deleted over REST, then its file too"),
        pytest.param({"a": "c 1"}, {}, {"c": "a"}, {"new": ["c"]}, set(), id="deleted over REST, its file is there"),
        pytest.param({"b": "c 1"}, {"c": "1"}, {"c": "a"}, {"same": ["c"]}, set(), id="another file name"),
        pytest.param({"a": "d 1", "b": "c 1"}, {"c": "1", "d": "1"}, {"c": "a", "d": "b"}, {"same": ["d", "c"]}, set(),
                     id="two files change places"),
        pytest.param({"a": "d 1"}, {"c": "1"}, {"c": "a"}, {"new": ["d"], "gone": ["c"]}, set(), id="another name"),
        pytest.param({"a": ""}, {"c": "1"}, {"c": "a"}, {}, {"a"}, id="an empty file"),
        pytest.param({"a": "", "b": "c 2"}, {"c": "1"}, {"c": "a"}, {"changed": ["c"]}, {"a"}, id="wrong, and moved"),
        pytest.param({"a": "c 1", "b": "c 2"}, {"c": "1"}, {"c": "a"}, {"same": ["c"]}, {"b"},
                     id="a copy: the file that it came from counts"),
        pytest.param({"a": "c 2", "b": "c 1"}, {"c": "1"}, {"c": "b"}, {"same": ["c"]}, {"a"},
                     id="a copy that comes first"),
        pytest.param({"b": "c 2", "d": "c 3"}, {"c": "1"}, {"c": "a"}, {}, {"b", "d"},
                     id="moved to two places: nobody knows, so it keeps running"),
        pytest.param({"b": "c 2", "d": "c 3"}, {}, {}, {}, {"b", "d"}, id="two new ones with one name"),
    ],
)  # fmt: skip
def test_difference(
    tmp_path: Path,
    files: Files,
    running: dict[str, str],
    sources: Files,
    expected: dict[str, list[str]],
    wrong: set[str],
) -> None:
    found, found_wrong = compare(tmp_path, files, running, sources)
    assert (names(found), found_wrong) == (expected, wrong)


def test_what_turns_out_to_be_wrong_keeps_what_its_file_gave_before(tmp_path: Path) -> None:
    """The file of c says d now, but d cannot be: c stays."""
    path = str(tmp_path / "a")
    Path(path).write_text("name=d\n")
    reading = read_all([path], {"c": path})
    running = {"c": {"name": "c"}}
    assert difference(reading, running, {"c": path}, lambda config: config).gone == ["c"]
    found = difference(reading.without({path: []}), running, {"c": path}, lambda config: config)
    assert names(found) == {}
