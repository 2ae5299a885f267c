"""A Schema Registry for tests: Confluent's REST shape on HTTP or HTTPS, with error codes, logins, and faults on demand.

It is no real registry: none could be had as a package. Schemas are the same if their texts are, but for white space and
the order of Avro's attributes, and only Avro's compatibility is checked.
"""

from __future__ import annotations

import base64
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.support.registry_store import RegistryRefusal, RegistryStore, Stored, Version

Answer = Any


class Registry:
    """A running registry. `requests` are those that came, as `GET /subjects`; `faults` are statuses to answer next."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.store = RegistryStore()
        self.requests: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.faults: list[int] = []
        self.login: str | None = None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        scheme = "http" if context is None else "https"
        self.url = f"{scheme}://localhost:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(30)

    def require_basic(self, user: str, password: str) -> None:
        """From now on only this user is let in."""
        self.login = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def require_bearer(self, token: str) -> None:
        """From now on only who has this token is let in."""
        self.login = f"Bearer {token}"

    def answer(self, method: str, target: str, body: Any, headers: dict[str, str]) -> Answer:
        """What is answered with status 200; else RegistryRefusal."""
        self.requests.append(f"{method} {target}")
        self.headers.append(headers)
        if self.login is not None and headers.get("Authorization") != self.login:
            raise RegistryRefusal(401, 401, "Unauthorized")
        if self.faults:
            status = self.faults.pop(0)
            raise RegistryRefusal(status, status * 100 + 1, "A fault of the test")
        parts = urlsplit(target)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        return self._route(method, [unquote(each) for each in parts.path.strip("/").split("/")], query, body)

    def _route(self, method: str, path: list[str], query: dict[str, str], body: Any) -> Answer:
        store = self.store
        match method, *path:
            case "GET", "subjects":
                return [subject for subject in store.subjects if _is_alive(store, subject)]
            case "GET", "subjects", subject, "versions":
                return [each.number for each in store.versions(subject)]
            case "POST", "subjects", subject, "versions":
                version = store.register(subject, body)
                return {"id": version.schema.id, "version": version.number, "guid": version.schema.guid}
            case "POST", "subjects", subject:
                return self._described(subject, store.look_up(subject, body), None)
            case "GET", "subjects", subject, "versions", number:
                return self._described(subject, store.version(subject, number), query.get("format"))
            case "GET", "subjects", subject, "metadata":
                found = store.with_metadata(subject, {query["key"]: query["value"]})
                return self._described(subject, found, query.get("format"))
            case "DELETE", "subjects", subject:
                return store.delete(subject)
            case "GET", "schemas", "ids", number:
                return self._schema(store.by_id(int(number)), query.get("format"))
            case "GET", "schemas", "guids", guid:
                return self._schema(store.by_guid(guid), query.get("format"))
            case "GET", "schemas", "ids", number, "versions":
                return self._versions_of(int(number))
        return self._route_levels(method, path, body)

    def _route_levels(self, method: str, path: list[str], body: Any) -> Answer:
        store = self.store
        match method, *path:
            case "POST", "compatibility", "subjects", subject, "versions", _:
                return {"is_compatible": not store.incompatibilities(subject, store.stored(body))}
            case "PUT", "config", *subjects:
                store.levels["".join(subjects)] = body["compatibility"]
                return body
            case "GET", "config", *subjects:
                return {"compatibilityLevel": store.levels.get("".join(subjects), store.levels[""])}
        raise RegistryRefusal(404, 404, "HTTP 404 Not Found")

    def _described(self, subject: str, version: Version, text_format: str | None) -> Answer:
        schema = version.schema
        return {
            "subject": subject,
            "version": version.number,
            "id": schema.id,
            "guid": schema.guid,
            **self._schema(schema, text_format),
        }

    def _schema(self, schema: Stored, text_format: str | None) -> Answer:
        answer: dict[str, Any] = {"schema": self.store.text(schema, text_format), "guid": schema.guid}
        if schema.type != "AVRO":
            answer["schemaType"] = schema.type
        if schema.references:
            answer["references"] = [
                {"name": name, "subject": subject, "version": number} for name, subject, number in schema.references
            ]
        return answer

    def _versions_of(self, schema_id: int) -> Answer:
        self.store.by_id(schema_id)
        return [
            {"subject": subject, "version": each.number}
            for subject, versions in self.store.subjects.items()
            for each in versions
            if each.schema.id == schema_id and not each.is_deleted
        ]


@contextmanager
def running_registry(context: ssl.SSLContext | None = None) -> Iterator[Registry]:
    """A registry that is closed at the end."""
    registry = Registry(context)
    try:
        yield registry
    finally:
        registry.close()


def _is_alive(store: RegistryStore, subject: str) -> bool:
    return any(not each.is_deleted for each in store.subjects[subject])


def _handler(registry: Registry) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def _serve(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(size)) if size else None
            try:
                status, answer = 200, registry.answer(self.command, self.path, body, dict(self.headers))
            except RegistryRefusal as refusal:
                status, answer = refusal.status, {"error_code": refusal.code, "message": refusal.message}
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 (names of the base class)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler
