"""What a listing of plugins says about each of them."""

from __future__ import annotations

import msgspec

from plugins.discovery.kinds import full_name, kinds_of, short_names


class FoundPlugin(msgspec.Struct, frozen=True, kw_only=True):
    """A plugin; or, with an `error`, one that cannot be used, then of kind `unknown`.

    `name` is its Java name or `module.Class`, `kind` one of PluginKind, `location` is `built-in`, `environment` or its plugin
    folder, `aliases` are the short names that `find_class` takes for it.
    """

    name: str
    kind: str
    version: str
    location: str
    aliases: list[str] = []
    error: str | None = None


def describe_plugin(plugin: type, location: str, entry_point: str | None, version: str | None) -> list[FoundPlugin]:
    """One entry for each kind that the class is; `version` is that of its distribution, for a class that does not say."""
    own_version = getattr(plugin, "version", "undefined")
    aliases = list(dict.fromkeys([*([entry_point] if entry_point else []), *short_names(plugin)]))
    return [
        FoundPlugin(
            name=full_name(plugin),
            kind=kind,
            version=version if version and own_version == "undefined" else str(own_version),
            location=location,
            aliases=aliases,
        )
        for kind in kinds_of(plugin)
    ]


def broken_plugin(name: str, location: str, error: str) -> FoundPlugin:
    """One that is there and cannot be used."""
    return FoundPlugin(name=name, kind="unknown", version="undefined", location=location, error=error)
