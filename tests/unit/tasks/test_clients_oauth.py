"""Tokens for OAUTHBEARER: unsecured ones, and those of an endpoint, which here is a small server."""

from __future__ import annotations

import base64
import json
import threading
import urllib.parse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from connectd.errors import ConfigException, ConnectException
from tasks.clients import worker_admin_settings
from tasks.clients.kafka_python import kafka_python_conf
from tasks.clients.oauth import TokenSource, token_source
from tasks.settings import WorkerConfig

NOW = 1_000_000.0


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


class Endpoint:
    """Gives a new token for each request, valid for 100 s, or answers what it is told to."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, list[str]]]] = []
        self.answer: tuple[int, bytes] | None = None
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                endpoint.requests.append((self.headers["Authorization"], urllib.parse.parse_qs(body)))
                status, content = endpoint.answer or (200, endpoint.token())
                self.send_response(status)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/token"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def token(self) -> bytes:
        claims = {"exp": NOW + 100, "number": len(self.requests)}
        encoded = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        return json.dumps({"access_token": f"header.{encoded}.signature"}).encode()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    endpoint = Endpoint()
    yield endpoint
    endpoint.close()


def settings(jaas: str, **more: str) -> Any:
    worker = WorkerConfig(
        {
            "bootstrap.servers": "k:1",
            "key.converter": "K",
            "value.converter": "V",
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "OAUTHBEARER",
            "sasl.jaas.config": f"org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required {jaas};",
            **{name.replace("_", "."): value for name, value in more.items()},
        }
    )
    return worker_admin_settings(worker, "me")


def source(endpoint: Endpoint, clock: Clock | None = None, **more: str) -> TokenSource:
    found = token_source(
        settings(
            'clientId="me" clientSecret="s3cret" scope="kafka" extension_cluster="one"',
            sasl_oauthbearer_token_endpoint_url=endpoint.url,
            **more,
        )
    )
    found._clock = clock or Clock()
    return found


def claims(token: str) -> Any:
    encoded = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))


def test_the_endpoint_is_asked_as_java_asks_it(endpoint: Endpoint) -> None:
    tokens = source(endpoint)
    assert claims(tokens.token())["number"] == 1
    credentials = base64.b64encode(b"me:s3cret").decode()
    assert endpoint.requests == [
        (f"Basic {credentials}", {"grant_type": ["client_credentials"], "scope": ["kafka"]}),
    ]
    assert tokens.extensions == {"cluster": "one"}


def test_a_token_is_kept_until_it_grows_old(endpoint: Endpoint) -> None:
    clock = Clock()
    tokens = source(endpoint, clock)
    first = tokens.token()
    clock.now = NOW + 79
    assert tokens.token() == first
    clock.now = NOW + 81
    assert tokens.token() != first


@pytest.mark.parametrize(
    ("status", "content", "said"),
    [
        (401, b"", "status 401"),
        (200, b"no JSON", "no JWT"),
        (200, b"[]", "no JWT"),
        (200, b'{"access_token": "opaque"}', "no JWT"),
        (200, b"{}", "no JWT"),
    ],
)
def test_an_answer_without_a_token(endpoint: Endpoint, status: int, content: bytes, said: str) -> None:
    endpoint.answer = (status, content)
    with pytest.raises(ConnectException, match=said) as failure:
        source(endpoint).token()
    assert "s3cret" not in str(failure.value)


def test_an_endpoint_that_is_not_there(endpoint: Endpoint) -> None:
    tokens = source(endpoint)
    endpoint.close()
    with pytest.raises(ConnectException, match="gives no token"):
        tokens.token()


def test_unsecured_tokens_name_the_principal() -> None:
    tokens = token_source(settings('unsecuredLoginStringClaim_sub="alice"'))
    token = tokens.token()
    found = claims(token)
    assert (found["sub"], found["exp"] > found["iat"], token.endswith(".")) == ("alice", True, True)
    assert tokens.token() == token


def test_kafka_python_gets_token_and_extensions() -> None:
    conf = kafka_python_conf(settings('unsecuredLoginStringClaim_sub="alice"'))
    assert conf["sasl_mechanism"] == "OAUTHBEARER"
    provider = conf["sasl_oauth_token_provider"]
    assert (claims(provider.token())["sub"], provider.extensions()) == ("alice", {})


def test_what_cannot_be_fetched_is_refused() -> None:
    with pytest.raises(ConfigException) as refused:
        token_source(settings('clientId="me"', sasl_oauthbearer_token_endpoint_url="file:///etc/token"))
    assert refused.value.key == "sasl.oauthbearer.token.endpoint.url"
    retriever = "org.apache.kafka.common.security.oauthbearer.JwtBearerJwtRetriever"
    with pytest.raises(ConfigException) as refused:
        token_source(settings("", sasl_oauthbearer_jwt_retriever_class=retriever))
    assert refused.value.key == "sasl.oauthbearer.jwt.retriever.class"
