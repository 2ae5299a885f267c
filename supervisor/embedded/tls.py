"""A test certificate authority with a server and a client certificate, as PEM and PKCS12."""

from __future__ import annotations

import datetime
import ipaddress
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from plugins.jars.errors import MissingPackageError

from .files import write_private

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

_LIFETIME = datetime.timedelta(days=3650)


class TestAuthority:
    """The files of a folder `tls`, made at first use and kept: they are for tests on this machine only.

    ca.pem, ca.key: the authority. server.pem: the broker's key and certificate. client.pem, client.key: a client's.
    client.p12 and truststore.p12 (with `password`): the same for Java. All are readable by their owner alone.
    """

    __test__ = False  # no test class, though pytest would think so

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._password = folder / "password"
        if not self._password.exists():
            _make(folder, self._password)

    @property
    def password(self) -> str:
        """Password of the PKCS12 files."""
        return self._password.read_text()

    def file(self, name: str) -> str:
        """Path of one of the files."""
        return str(self.folder / name)


def _make(folder: Path, password_file: Path) -> None:
    try:
        from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
    except ModuleNotFoundError as error:
        raise MissingPackageError("cryptography") from error
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    ca_key, ca = _issue("connectd test CA", None)
    server_key, server = _issue("localhost", (ca_key, ca))
    client_key, client = _issue("connectd-test-client", (ca_key, ca))
    password = secrets.token_urlsafe(18)
    encryption = BestAvailableEncryption(password.encode())
    store = pkcs12.serialize_key_and_certificates(b"client", client_key, client, [ca], encryption)
    trust = pkcs12.serialize_java_truststore([pkcs12.PKCS12Certificate(ca, b"ca")], encryption)
    files = {
        "ca.pem": _pem(ca),
        "ca.key": _key_pem(ca_key),
        "server.pem": _key_pem(server_key) + _pem(server) + _pem(ca),
        "client.pem": _pem(client),
        "client.key": _key_pem(client_key),
        "client.p12": store,
        "truststore.p12": trust,
        # Last: it says that all others are there.
        password_file.name: password.encode(),
    }
    for name, content in files.items():
        write_private(folder / name, content)


def _issue(
    name: str, issuer: tuple[EllipticCurvePrivateKey, x509.Certificate] | None
) -> tuple[EllipticCurvePrivateKey, x509.Certificate]:
    """A key and its certificate; without an issuer that of an authority, signed by itself."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[1].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if issuer:
        hosts = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer[0].public_key())
        builder = builder.add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        builder = builder.add_extension(authority, critical=False)
    return key, builder.sign(issuer[0] if issuer else key, hashes.SHA256())


def _pem(certificate: x509.Certificate) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM)


def _key_pem(key: EllipticCurvePrivateKey) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
