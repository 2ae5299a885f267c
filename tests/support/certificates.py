"""Certificates for tests of TLS clients: an authority, one below it, and keys and certificates of a client and a server."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from tests.peer.jvm import compile_java, run_java

CLIENT_NAME = "connectd client"


@dataclass(frozen=True)
class Identity:
    """A private key and its certificate."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def pem(self) -> str:
        """The certificate."""
        return self.certificate.public_bytes(Encoding.PEM).decode()

    def key_pem(self, password: str | None = None) -> str:
        """The key in PKCS#8, encrypted if there is a password."""
        encryption = BestAvailableEncryption(password.encode()) if password else NoEncryption()
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode()


class Certificates:
    """The client's certificate is signed by an authority below the root: a server that knows only the root wants both."""

    def __init__(self) -> None:
        self.root = _issue("root", None, is_authority=True)
        self.below = _issue("below", self.root, is_authority=True)
        self.client = _issue(CLIENT_NAME, self.below)
        self.server = _issue("localhost", self.root)

    @property
    def client_chain(self) -> str:
        """The client's certificate and that of its issuer."""
        return self.client.pem + self.below.pem

    def key_store(self, path: Path, password: str) -> Path:
        """A PKCS12 file with the client's key and chain."""
        return _write(
            path,
            pkcs12.serialize_key_and_certificates(
                b"client",
                self.client.key,
                self.client.certificate,
                [self.below.certificate],
                BestAvailableEncryption(password.encode()),
            ),
        )

    def trust_store(self, path: Path, password: str, *trusted: Identity) -> Path:
        """A PKCS12 file as Java writes them, with the certificates of `trusted`, by default the root's."""
        entries = [
            pkcs12.PKCS12Certificate(each.certificate, f"ca{number}".encode())
            for number, each in enumerate(trusted or (self.root,))
        ]
        encryption = BestAvailableEncryption(password.encode())
        return _write(path, pkcs12.serialize_java_truststore(entries, encryption))


def to_jks(store: Path, password: str, store_password: str, key_password: str = "unused") -> Path:
    """A PKCS12 file as Java's own format."""
    classes = compile_java(Path(__file__).parents[1] / "peer" / "KeyStores.java")
    jks = store.with_suffix(".jks")
    run_java("KeyStores", str(store), password, str(jks), store_password, key_password, classes=[classes])
    return jks


def _issue(name: str, issuer: Identity | None, *, is_authority: bool = False) -> Identity:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    )
    return Identity(key, builder.sign(issuer.key if issuer else key, hashes.SHA256()))


def _write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
