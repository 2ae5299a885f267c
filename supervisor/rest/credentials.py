"""Users and passwords as Java's BasicAuthSecurityRestExtension reads them: a properties file that a JAAS file names."""

from __future__ import annotations

import contextlib
import hmac
import os
import re
import shlex
from pathlib import Path
from typing import Final

from connectd.errors import ConfigException
from tasks.clients.jaas import parse_jaas
from tasks.settings.rest import BASIC_AUTH_FILE

# The section of a JAAS file, as in Java.
SECTION: Final = "KafkaConnect"
JAVA_OPTIONS: Final = "KAFKA_OPTS"
JAAS_PROPERTY: Final = "-Djava.security.auth.login.config="

_COMMENT: Final = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)


class Credentials:
    """The users of a properties file, `user=password`. The file is read again when it has changed."""

    def __init__(self, path: str) -> None:
        """Raises ConfigException if the file cannot be read or has no users."""
        self._path = path
        self._users: dict[str, str] = {}
        self._stamp: tuple[int, int] | None = None
        self._read_if_changed()

    def knows(self, user: str, password: str) -> bool:
        """Whether it is the user's password. Takes as long for the wrong one, and for an unknown user."""
        with contextlib.suppress(ConfigException):  # while the file is replaced those that were in it count
            self._read_if_changed()
        expected = self._users.get(user)
        matches = hmac.compare_digest((expected or "").encode(), password.encode())
        return matches and expected is not None

    def _read_if_changed(self) -> None:
        from javaproperties.reading import loads

        try:
            stat = Path(self._path).stat()
            stamp = (stat.st_mtime_ns, stat.st_size)
            if stamp == self._stamp:
                return
            users = loads(Path(self._path).read_text("utf-8"))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no properties file in UTF-8"
            raise ConfigException(BASIC_AUTH_FILE, self._path, f"Expected a readable file: {reason}") from error
        if not users:
            raise ConfigException(BASIC_AUTH_FILE, self._path, "Expected users in it, one a line: user=password")
        self._users, self._stamp = users, stamp


def credentials_file(configured: str | None, environment: dict[str, str] | None = None) -> str:
    """The file with the users: the one that is set, or as Java finds it, by the JAAS file that `KAFKA_OPTS` names.

    Raises ConfigException.
    """
    if configured is not None:
        return configured
    jaas = _jaas_file((os.environ if environment is None else environment).get(JAVA_OPTIONS, ""))
    if jaas is None:
        raise ConfigException(
            BASIC_AUTH_FILE,
            None,
            f"Expected the file with the users, or a JAAS file in the environment: {JAVA_OPTIONS}={JAAS_PROPERTY}FILE",
        )
    try:
        text = Path(jaas).read_text("utf-8")
    except (OSError, ValueError) as error:
        raise ConfigException(JAVA_OPTIONS, jaas, f"Expected a readable JAAS file: {error}") from error
    return _file_of(jaas, text)


def _jaas_file(options: str) -> str | None:
    try:
        words = shlex.split(options)
    except ValueError:
        words = options.split()
    found = [word.removeprefix(JAAS_PROPERTY) for word in words if word.startswith(JAAS_PROPERTY)]
    return found[-1] if found else None


def _file_of(path: str, text: str) -> str:
    section = re.search(rf"\b{SECTION}\s*\{{(.*?)\}}\s*;", _COMMENT.sub(" ", text), re.DOTALL)
    if section is None:
        raise ConfigException(JAVA_OPTIONS, path, f"Expected a section {SECTION} in the JAAS file")
    try:
        module = parse_jaas(section[1].strip())
    except ValueError as error:
        raise ConfigException(JAVA_OPTIONS, path, f"Expected in the section {SECTION} {error}") from error
    file = module.options.get("file")
    if module.name != "PropertyFileLoginModule" or not file:
        raise ConfigException(
            JAVA_OPTIONS, path, f"Expected in the section {SECTION} a PropertyFileLoginModule with a file"
        )
    return file
