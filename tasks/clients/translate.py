"""Turns Java's client settings into librdkafka's, row by row of the table and then by the rules over several keys."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping

from connectd.errors import ConfigException
from tasks.clients.librdkafka import PROPERTIES
from tasks.clients.rules import apply_rules
from tasks.clients.security import translate_security
from tasks.clients.translated import Client, Given, Translated
from tasks.clients.translation import settings_of


def translate(client: Client, given: Mapping[str, Given]) -> Translated:
    """The settings of one client by Java's names, as librdkafka's.

    Names that only librdkafka knows are passed on as they are. Names that neither knows are left out with a warning, as
    in Java. Raises ConfigException for the first value that is wrong, naming the key as the user wrote it.
    """
    translated = Translated()
    parsed: dict[str, Given] = {}
    rows = settings_of(client)
    for name, setting in given.items():
        row = rows.get(name)
        if row is not None:
            value = row.parse(setting)
            parsed[name] = dataclasses.replace(setting, value=value)
            row.apply(translated, setting.origin, value)
        elif name in PROPERTIES:
            translated.put(name, setting.value, setting.origin)
        else:
            translated.warn(setting.origin, _unknown(name, [*rows, *PROPERTIES]))
    apply_rules(translated, parsed)
    translate_security(translated, parsed)
    return translated


def errors(client: Client, given: Mapping[str, Given]) -> list[ConfigException]:
    """Everything that is wrong with settings, empty if `translate` succeeds.

    Each key is tried by itself; how keys fit together is looked at when each is right by itself.
    """
    found = []
    for name, setting in given.items():
        row = settings_of(client).get(name)
        try:
            if row is not None:
                row.apply(Translated(), setting.origin, row.parse(setting))
        except ConfigException as error:
            error.key = setting.origin
            found.append(error)
    if not found:
        try:
            translate(client, given)
        except ConfigException as error:
            found.append(error)
    return found


def _unknown(name: str, names: list[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.8)
    return "unknown client setting" + (f", did you mean {near[0]}?" if near else "")
