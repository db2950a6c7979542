"""The strict stores of `tests.simulation` behind TLS on 127.0.0.1, so that a function's process has
nothing of them in its memory and does all that it does on AWS to ask them: connections, TLS, HTTP,
signatures, parsing. Each call is noted with the seconds that `bench.capacity.limits` gives it.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, HeadersDict
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bench.capacity.limits import OTHER_CALL_S, SECONDS
from chalicelib.adapters.s3 import READ_AT_ONCE
from tests.simulation.wire import Network

HOST = "127.0.0.1"
CALL, THREAD = "X-Bench-Call", "X-Bench-Thread"


@dataclass
class Aws:
    """Where the stores are, and what they were asked for since the last look."""

    url: str
    certificate: Path
    resolver: str = ""
    _calls: list[tuple[str, float]] = field(default_factory=list)

    def note(self, name: str, *, at_main: bool) -> None:
        """A call; several readers share the time of theirs."""
        seconds = SECONDS.get(name, OTHER_CALL_S)
        self._calls.append((name, seconds if at_main else seconds / READ_AT_ONCE))

    def calls_made(self) -> list[tuple[str, float]]:
        """The calls since the last time, with their seconds."""
        calls, self._calls = self._calls, []
        return calls


@contextmanager
def served(network: Network, folder: Path) -> Iterator[Aws]:
    """The stores of `network`, for processes that trust the certificate in `folder`."""
    certificate = _write_certificate(folder)
    lock = threading.Lock()

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def answer(self) -> None:
            body = self._body()
            call = self.headers[CALL]
            headers: Any = HeadersDict(dict(self.headers.items()))
            url = f"https://{HOST}{self.path}"
            request = AWSPreparedRequest(self.command, url, headers, body, stream_output=False)
            with lock:
                aws.note(call.replace(".", ":", 1), at_main=self.headers[THREAD] == "main")
                answer = network.send(request, f"before-send.{call}")
            content = answer.content
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = answer  # noqa: N815

        def _body(self) -> bytes:
            if "chunked" not in self.headers.get("Transfer-Encoding", ""):
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def log_message(self, *_: object) -> None:
            """Nothing: the calls are noted."""

    with ThreadingHTTPServer((HOST, 0), Answers) as server:
        server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, folder / "key.pem")
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        aws = Aws(f"https://{HOST}:{server.server_address[1]}", certificate)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield aws
        finally:
            server.shutdown()
            thread.join()


def _write_certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bench")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    written = folder / "certificate.pem"
    written.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return written
