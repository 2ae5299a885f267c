"""A server that speaks TLS and no more: who connected to it?"""

from __future__ import annotations

import queue
import socket
import ssl
import threading
from pathlib import Path

from tests.support.certificates import Certificates

WAIT_S = 30.0


class Server:
    """Accepts TLS connections from clients with a certificate of the root's, and keeps the names in them, or the errors."""

    def __init__(self, certificates: Certificates, folder: Path) -> None:
        chain, root = folder / "server.pem", folder / "root.pem"
        chain.write_text(certificates.server.key_pem() + certificates.server.pem)
        root.write_text(certificates.root.pem)
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(root))
        self._context.verify_mode = ssl.CERT_REQUIRED
        self._context.load_cert_chain(chain)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.seen: queue.Queue[str] = queue.Queue()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return  # closed
            try:
                with self._context.wrap_socket(connection, server_side=True) as secured:
                    certificate = secured.getpeercert()
                    assert certificate
                    self.seen.put(dict(part[0] for part in certificate["subject"])["commonName"])
            except (ssl.SSLError, OSError) as error:
                self.seen.put(f"error: {error}")

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(WAIT_S)
