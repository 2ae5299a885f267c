"""Discovery: which class a name stands for, and the listing of all plugins."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import dedent

import pytest

import plugins
from connectd.connectors import SinkConnector, SourceConnector
from connectd.converters import Converter
from connectd.errors import PluginNotFound
from plugins.connectors.file_stream_sink import FileStreamSinkConnector
from plugins.connectors.file_stream_source import FileStreamSourceConnector, FileStreamSourceTask
from plugins.converters.string import StringConverter
from plugins.discovery import FoundPlugin, PluginKind, builtin, candidates, find_class, list_plugins
from plugins.discovery.finding import folder_of
from plugins.discovery.folders import plugin_folders
from plugins.discovery.kinds import alias, kinds_of, short_names
from plugins.discovery.loading import load_class


def plugin_folder_of(name: str, plugin_path: Sequence[str] = ()) -> Path | None:
    folder = folder_of(name, plugin_folders(plugin_path))
    return None if folder is None else folder.path


CONNECTOR = """
    from connectd.connectors import SourceConnector
    from connectd.config import ConfigDef
    from connectd.tasks import SourceTask

    class {name}Task(SourceTask):
        def start(self, props): ...
        def poll(self): ...

    class {name}Connector(SourceConnector):
        version = "{version}"
        def start(self, props): ...
        def task_class(self): return {name}Task
        def task_configs(self, max_tasks): return [{{}}]
        def config(self): return ConfigDef()
"""


def connector(name: str, version: str = "1.0", head: str = "") -> str:
    return dedent(head) + dedent(CONNECTOR).format(name=name, version=version)


class PluginPath:
    """A folder of plugin folders that tests fill."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()

    def __iter__(self) -> Iterator[str]:
        return iter([str(self.path)])

    def write(self, name: str, content: str) -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(content))
        return file

    def install(self, folder: str, distribution: str, version: str, entry_points: str, *modules: str) -> None:
        """What `pip install --target` leaves of a distribution, its modules aside."""
        info = f"{folder}/{distribution}-{version}.dist-info"
        self.write(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        self.write(f"{info}/RECORD", "".join(f"{module},,\n" for module in modules))
        if entry_points:
            self.write(f"{info}/entry_points.txt", f"[connectd.plugins]\n{entry_points}\n")


@pytest.fixture
def plugin_path(tmp_path: Path) -> Iterator[PluginPath]:
    path, modules = sys.path[:], set(sys.modules)
    yield PluginPath(tmp_path / "plugin-path")
    sys.path[:] = path
    for module in set(sys.modules) - modules:
        del sys.modules[module]
    importlib.invalidate_caches()


def find(name: str, plugin_path: PluginPath) -> type:
    return find_class(name, plugin_path=list(plugin_path))


def found_in(plugin_path: PluginPath) -> dict[str, FoundPlugin]:
    """The listing without the built-ins."""
    return {each.name: each for each in list_plugins(list(plugin_path)) if each.location != "built-in"}


# --- built-ins --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("org.apache.kafka.connect.file.FileStreamSourceConnector", FileStreamSourceConnector),
        ("FileStreamSourceConnector", FileStreamSourceConnector),
        ("FileStreamSource", FileStreamSourceConnector),
        (" FileStreamSink ", FileStreamSinkConnector),
        ("plugins.connectors.file_stream_source.FileStreamSourceConnector", FileStreamSourceConnector),
        ("plugins.connectors.file_stream_source:FileStreamSourceTask", FileStreamSourceTask),
        ("org.apache.kafka.connect.storage.StringConverter", StringConverter),
        ("StringConverter", StringConverter),
        ("String", StringConverter),
    ],
)
def test_built_ins_by_each_of_their_names(name: str, expected: type) -> None:
    assert find_class(name) is expected


def test_the_table_of_built_ins_is_complete_and_right() -> None:
    there = set()
    for kind in ("connectors", "converters", "transforms", "predicates", "providers"):
        for package in pkgutil.iter_modules([str(Path(plugins.__path__[0]) / kind)], f"plugins.{kind}."):
            module = importlib.import_module(package.name)
            there |= {each for each in vars(module).values() if kinds_of(each) and "JAVA_NAME" in vars(each)}
    listed = {}
    for kind, locations in builtin.BUILTINS.items():
        for java_name, location in locations.items():
            module, _, name = location.partition(":")
            plugin = load_class(module, name)
            assert plugin is not None, location
            assert java_name == plugin.JAVA_NAME
            assert kind in kinds_of(plugin)
            listed[plugin] = java_name
    assert set(listed) == there
    shorts = [short for plugin in listed for short in short_names(plugin)]
    assert set(shorts) == builtin.SHORT_NAMES
    assert len(shorts) == len(set(shorts))


def test_finding_one_built_in_imports_no_other() -> None:
    code = """
        import sys
        from plugins.discovery import find_class
        find_class("org.apache.kafka.connect.storage.StringConverter")
        print(*sorted(sys.modules))
    """
    done = subprocess.run([sys.executable, "-c", dedent(code)], capture_output=True, text=True, check=True, timeout=60)
    modules = done.stdout.split()
    assert "plugins.converters.string" in modules
    assert not {"plugins.connectors.file_stream_source", "plugins.converters.json", "importlib.metadata"} & set(modules)


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("FileStreamSourceConnector", PluginKind.SOURCE, "FileStreamSource"),
        ("JsonConverter", PluginKind.CONVERTER, "Json"),
        ("SimpleHeaderConverter", PluginKind.HEADER_CONVERTER, "Simple"),
        ("StringConverter", PluginKind.HEADER_CONVERTER, "StringConverter"),
        ("HasHeaderKey", PluginKind.PREDICATE, "HasHeaderKey"),
        ("EnvVarConfigProvider", PluginKind.CONFIG_PROVIDER, "EnvVar"),
        ("Connector", PluginKind.SINK, "Connector"),
        ("MyConnectorV2", PluginKind.SINK, "My"),
        ("MaskTransformation", PluginKind.TRANSFORMATION, "Mask"),
    ],
)
def test_aliases_are_javas(name: str, kind: PluginKind, expected: str) -> None:
    assert alias(name, kind) == expected


# --- names that stand for nothing, or for too much --------------------------------------------------------------------


def test_a_wrong_name_is_told_what_is_near_it() -> None:
    with pytest.raises(PluginNotFound, match=r"'fileStreamSorce'\. Near it: FileStreamSource, .*FileStreamSourceConn"):
        find_class("fileStreamSorce")
    with pytest.raises(PluginNotFound, match=r"Near it: .*JsonConverter"):
        find_class("com.example.JsonConvertor")


@pytest.mark.parametrize(
    "name", ["", ":", ".", "a:", ":b", "..x", "no.such.Thing", "os:no_such", "os:path", "os.sep", "$"]
)
def test_a_name_of_nothing_is_not_found(name: str) -> None:
    with pytest.raises(PluginNotFound, match="No plugin is called"):
        find_class(name)


def test_a_class_of_another_kind_is_refused() -> None:
    assert find_class("FileStreamSource", SourceConnector) is FileStreamSourceConnector
    with pytest.raises(PluginNotFound, match=r"FileStreamSourceConnector, which is not a SinkConnector"):
        find_class("FileStreamSource", SinkConnector)
    with pytest.raises(PluginNotFound, match="not a Converter"):
        find_class("FileStreamSource", Converter)


# --- plugin folders ---------------------------------------------------------------------------------------------------


def test_a_folder_with_a_module_and_its_dependency_beside_it(plugin_path: PluginPath) -> None:
    plugin_path.write("rows/rowsource.py", connector("Rows", head="import rowsdependency\n"))
    plugin_path.write("rows/rowsdependency.py", "")
    found = find("Rows", plugin_path)
    assert found.__module__ == "rowsource"
    for name in ("RowsConnector", "rowsource.RowsConnector", "rowsource:RowsConnector"):
        assert find(name, plugin_path) is found
        assert plugin_folder_of(name, list(plugin_path)) == plugin_path.path / "rows"
    assert find("rowsource:RowsTask", plugin_path).__name__ == "RowsTask"
    assert plugin_folder_of("FileStreamSource", list(plugin_path)) is None


def test_what_lies_in_a_folder_comes_before_what_is_installed(plugin_path: PluginPath) -> None:
    plugin_path.write("old/oldsource.py", connector("Old", head="import pytest_of_plugin, json\n"))
    plugin_path.write("old/pytest_of_plugin.py", "")
    find("Old", plugin_path)
    assert sys.path[0] == str(plugin_path.path / "old")


def test_a_package_shows_what_it_takes_from_its_own_modules(plugin_path: PluginPath) -> None:
    plugin_path.write(
        "pack/packed/__init__.py", "from connectd.tasks import SinkTask\nfrom .inner import PackedConnector\n"
    )
    plugin_path.write("pack/packed/inner.py", connector("Packed"))
    assert find("Packed", plugin_path).__module__ == "packed.inner"
    assert find("packed.inner:PackedTask", plugin_path).__name__ == "PackedTask"
    with pytest.raises(PluginNotFound):
        find("SinkTask", plugin_path)


def test_a_package_or_a_module_may_lie_in_the_plugin_path_itself(plugin_path: PluginPath) -> None:
    plugin_path.write("whole/__init__.py", connector("Whole"))
    plugin_path.write("single.py", connector("Single"))
    assert find("Whole", plugin_path).__module__ == "whole"
    assert find("Single", plugin_path).__module__ == "single"


def test_installed_with_entry_points(plugin_path: PluginPath) -> None:
    plugin_path.write("inst/instpack/__init__.py", "")
    plugin_path.write("inst/instpack/source.py", connector("Installed"))
    plugin_path.write("inst/dependency_of_inst.py", "raise AssertionError('must not be imported')")
    plugin_path.install("inst", "inst", "2.5", "Inst = instpack.source:InstalledConnector", "instpack/source.py")
    plugin_path.install("inst", "dependency", "0.1", "", "dependency_of_inst.py")
    found = find("Inst", plugin_path)
    for name in ("Installed", "InstalledConnector", "instpack.source.InstalledConnector"):
        assert find(name, plugin_path) is found
    assert plugin_folder_of("Inst", list(plugin_path)) == plugin_path.path / "inst"
    # The plugin folder itself instead of the folder that it is in.
    assert find_class("Inst", plugin_path=[str(plugin_path.path / "inst")]) is found


def test_by_the_java_name_that_a_plugin_stands_for(plugin_path: PluginPath) -> None:
    java_name = "io.example.RowsConnector"
    plugin_path.write("java/javasource.py", connector("Rows") + f'    JAVA_NAME = "{java_name}"\n')
    assert find(java_name, plugin_path).__module__ == "javasource"
    with pytest.raises(PluginNotFound):
        find("io.other.RowsConnector", plugin_path)


def test_a_short_name_in_two_folders_is_ambiguous_and_the_full_name_is_not(plugin_path: PluginPath) -> None:
    plugin_path.write("a/ambig_a.py", connector("Ambig"))
    plugin_path.write("b/ambig_b.py", connector("Ambig"))
    with pytest.raises(PluginNotFound, match=r"Ambig is in several places: .*/a', .*/b'"):
        find("Ambig", plugin_path)
    assert find("ambig_b:AmbigConnector", plugin_path).__module__ == "ambig_b"
    assert [each.aliases for each in found_in(plugin_path).values()] == [[], []]


def test_a_task_comes_from_the_folder_of_its_connector(plugin_path: PluginPath) -> None:
    for name in ("Left", "Right"):
        plugin_path.write(f"{name}/samename.py", connector(name))
    with pytest.raises(PluginNotFound, match="samename:RightTask is in several places"):
        find("samename:RightTask", plugin_path)
    assert find("Right", plugin_path).__name__ == "RightConnector"
    assert find("samename:RightTask", plugin_path).__name__ == "RightTask"


def test_a_short_name_of_two_classes_in_one_folder_is_ambiguous(plugin_path: PluginPath) -> None:
    plugin_path.write("two/two_a.py", connector("Two"))
    plugin_path.write("two/two_b.py", connector("Two"))
    with pytest.raises(PluginNotFound, match="choose one of two_a:TwoConnector, two_b:TwoConnector"):
        find("Two", plugin_path)


def test_a_built_in_keeps_its_short_name(plugin_path: PluginPath) -> None:
    plugin_path.write("mine/mine.py", connector("FileStreamSource"))
    assert find("FileStreamSource", plugin_path) is FileStreamSourceConnector
    assert find("mine.FileStreamSourceConnector", plugin_path).__module__ == "mine"
    assert found_in(plugin_path)["mine.FileStreamSourceConnector"].aliases == []


@pytest.mark.parametrize("reserved", ["tasks", "plugins", "supervisor", "connectd"])
def test_a_folder_with_a_module_of_our_name_is_skipped(
    plugin_path: PluginPath, caplog: pytest.LogCaptureFixture, reserved: str
) -> None:
    plugin_path.write("clash/clashing.py", connector("Clashing"))
    plugin_path.write(f"clash/{reserved}/__init__.py", "raise AssertionError('must not be imported')")
    plugin_path.write("fine/fineone.py", connector("Fine"))
    assert find("Fine", plugin_path).__module__ == "fineone"
    for name in ("Clashing", "clashing:ClashingConnector"):
        with pytest.raises(PluginNotFound, match=f"clash' was skipped: it has a module called '{reserved}'"):
            find(name, plugin_path)
    assert f"it has a module called '{reserved}'" in caplog.text
    listed = found_in(plugin_path)
    assert set(listed) == {"clash", "fineone.FineConnector"}
    assert f"'{reserved}'" in (listed["clash"].error or "")


def test_a_copy_of_connectd_as_a_dependency_does_no_harm(plugin_path: PluginPath) -> None:
    plugin_path.write("copy/copysource.py", connector("Copy", head="import connectd, connectd.records\n"))
    for module in ("connectd", "tasks", "plugins", "supervisor"):
        plugin_path.write(f"copy/{module}/__init__.py", "raise AssertionError('must not be imported')")
    modules = [f"{module}/__init__.py" for module in ("connectd", "tasks", "plugins", "supervisor")]
    plugin_path.install("copy", "connectd", "9.9", "", *modules)
    assert issubclass(find("Copy", plugin_path), SourceConnector)
    assert found_in(plugin_path)["copysource.CopyConnector"].error is None


def test_an_import_that_fails_says_why_and_where(plugin_path: PluginPath) -> None:
    plugin_path.write("bad/badsource.py", "import no_such_dependency\n" + connector("Bad"))
    reason = (
        r"Cannot import badsource: ModuleNotFoundError: No module named 'no_such_dependency' \(badsource.py, line 1\)"
    )
    for name in ("Bad", "badsource:BadConnector"):
        with pytest.raises(PluginNotFound, match=reason):
            find(name, plugin_path)


def test_an_entry_point_to_nothing_says_so(plugin_path: PluginPath) -> None:
    plugin_path.install("gone", "gone", "1", "Gone = gonemodule:Gone\nNoPlugin = os:stat_result")
    with pytest.raises(PluginNotFound, match="gonemodule:Gone does not exist"):
        find("Gone", plugin_path)
    with pytest.raises(PluginNotFound, match="os:stat_result is no plugin"):
        find("NoPlugin", plugin_path)


def test_a_plugin_path_that_is_not_there_is_ignored_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert find_class("FileStreamSource", plugin_path=[str(tmp_path / "missing")]) is FileStreamSourceConnector
    with pytest.raises(PluginNotFound):
        find_class("Other", plugin_path=[str(tmp_path / "missing")])
    assert f"cannot read folder '{tmp_path / 'missing'}'" in caplog.text


# --- the listing ------------------------------------------------------------------------------------------------------


def test_built_ins_are_listed_under_their_java_names() -> None:
    listed = {(each.name, each.kind): each for each in list_plugins()}
    source = listed["org.apache.kafka.connect.file.FileStreamSourceConnector", "source"]
    assert (source.location, source.error) == ("built-in", None)
    assert source.aliases == ["FileStreamSourceConnector", "FileStreamSource"]
    assert source.version == FileStreamSourceConnector.version
    for kind in ("converter", "header_converter"):
        assert ("org.apache.kafka.connect.storage.StringConverter", kind) in listed


def test_two_versions_of_a_dependency_do_not_meet(plugin_path: PluginPath) -> None:
    for name, version in (("One", "1"), ("Two", "2")):
        head = f"import shared_dependency\nassert shared_dependency.version == {version}\n"
        plugin_path.write(f"{name}/source_{name}.py", connector(name, version=version, head=head))
        plugin_path.write(f"{name}/shared_dependency.py", f"version = {version}")
    listed = found_in(plugin_path)
    assert {name: (each.version, each.error) for name, each in listed.items()} == {
        "source_One.OneConnector": ("1", None),
        "source_Two.TwoConnector": ("2", None),
    }
    assert listed["source_One.OneConnector"].location == str(plugin_path.path / "One")
    assert "shared_dependency" not in sys.modules


def test_broken_plugins_are_listed_with_their_error_beside_the_others(plugin_path: PluginPath) -> None:
    plugin_path.write("good/goodone.py", connector("Good", head="print('noise')\n"))
    plugin_path.write("good/alsobroken.py", "1 / 0")
    plugin_path.write("syntax/syntaxerror.py", "def")
    plugin_path.write("exits/exits.py", "raise SystemExit(3)")
    plugin_path.write("crashes/crashes.py", "import os\nos.abort()")
    plugin_path.write("quits/quits.py", "import os\nos._exit(0)")
    listed = found_in(plugin_path)
    assert listed.pop("goodone.GoodConnector").error is None
    assert {name: each.kind for name, each in listed.items()} == dict.fromkeys(
        ("alsobroken", "syntaxerror", "exits", "crashes", "quits"), "unknown"
    )
    for name, reason in {
        "alsobroken": "ZeroDivisionError: division by zero (alsobroken.py, line 1)",
        "syntaxerror": "SyntaxError",
        "exits": "SystemExit: 3",
        "crashes": "SIGABRT",
        "quits": "ended the process",
    }.items():
        assert reason in (listed[name].error or "")


def test_an_import_that_never_ends_is_given_up(plugin_path: PluginPath) -> None:
    plugin_path.write("hangs/hangs.py", "import threading\nthreading.Event().wait()")
    listed = [each for each in list_plugins(list(plugin_path), timeout_s=1) if each.error]
    assert [(each.name, each.error) for each in listed] == [("hangs", "importing it took longer than 1 s")]


def test_installed_plugins_have_the_version_of_their_distribution(plugin_path: PluginPath) -> None:
    plugin_path.write("inst/instpack.py", connector("Listed", version="undefined"))
    plugin_path.install("inst", "inst", "2.5", "Inst = instpack:ListedConnector\nNo = instpack:No", "instpack.py")
    listed = found_in(plugin_path)
    assert (listed["instpack.ListedConnector"].version, listed["instpack.ListedConnector"].kind) == ("2.5", "source")
    assert listed["instpack.ListedConnector"].aliases == ["Inst", "ListedConnector", "Listed"]
    assert listed["No"].error == "instpack:No does not exist"


def test_entry_points_of_the_environment(plugin_path: PluginPath, monkeypatch: pytest.MonkeyPatch) -> None:
    plugin_path.write("env/envsource.py", connector("Env"))
    plugin_path.install("env", "env", "0.7", "EnvName = envsource:EnvConnector", "envsource.py")
    monkeypatch.syspath_prepend(plugin_path.path / "env")
    monkeypatch.setenv("PYTHONPATH", str(plugin_path.path / "env"))
    assert find_class("EnvName").__module__ == "envsource"
    assert plugin_folder_of("EnvName") is None
    found = next(each for each in list_plugins() if each.name == "envsource.EnvConnector")
    assert (found.location, found.kind) == ("environment", "source")


def test_what_is_installed_beside_connectd_is_looked_at_once_where_that_is_wanted(
    plugin_path: PluginPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidates, "_remembered", {})
    site = plugin_path.path / "site"
    monkeypatch.syspath_prepend(str(site))
    plugin_path.write("site/early.py", connector("Early"))
    plugin_path.install("site", "early", "1.0", "Soon = early:EarlyConnector", "early.py")
    candidates.remember_environment()
    plugin_path.write("site/late.py", connector("Late"))
    plugin_path.install("site", "late", "1.0", "Later = late:LateConnector", "late.py")
    assert find_class("Soon").__name__ == "EarlyConnector"
    with pytest.raises(PluginNotFound):
        find_class("Later")
