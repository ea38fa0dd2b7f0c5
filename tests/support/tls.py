"""The chains' own addresses over TLS, without a network: an authority, certificates good and bad, and a proxy behind
which a sandbox answers for the real hosts."""

import http.client
import ipaddress
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CHAINS = {
    "www.woolworths.com.au": "woolworths",
    "www.coles.com.au": "coles",
    "apigw.coles.com.au": "coles",
    "api.aldi.com.au": "aldi",
    "www.igashop.com.au": "iga",
    "embed.salefinder.com.au": "iga",
}
"""Whose copy in the sandbox stands for a host."""
LIMIT = 30
Answer = tuple[int, list[tuple[str, str]], bytes]


class Authority:
    """Signs certificates; `file` is what trusts it. Each certificate is a PEM file with its key."""

    def __init__(self, folder: Path, name: str = "Test Authority") -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = named(name)
        self.file = folder / f"{name.replace(' ', '-')}.pem"
        self.file.write_bytes(self._sign(self.key, self.name, [], ca=True).public_bytes(serialization.Encoding.PEM))

    def certificate(self, *names: str, signed: bool = True, **options: Any) -> Path:
        """A certificate for names (IP addresses as such); `options` as `_sign` takes it."""
        key = ec.generate_private_key(ec.SECP256R1())
        found = self._sign(
            key, named(names[0] if names else "a host"), [general(n) for n in names], own=signed, **options
        )
        path = self.folder / f"{found.serial_number}.pem"
        encoding = serialization.Encoding.PEM
        secret = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        path.write_bytes(secret + found.public_bytes(encoding))
        return path

    def _sign(
        self,
        key: Any,
        subject: x509.Name,
        names: list[x509.GeneralName],
        *,
        own: bool = True,
        ca: bool = False,
        days: tuple[int, int] = (-1, 30),
        client: bool = False,
    ) -> x509.Certificate:
        first, last = (datetime.now(UTC) + timedelta(days=each) for each in days)
        builder = x509.CertificateBuilder().subject_name(subject).public_key(key.public_key())
        builder = builder.issuer_name(self.name if own else subject).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(first).not_valid_after(last)
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        if client:
            use = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
            builder = builder.add_extension(use, critical=False)
        return builder.sign(self.key if own else key, hashes.SHA256())


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])


def general(name: str) -> x509.GeneralName:
    """`mail:` and `https:` make names of other kinds."""
    if name.startswith("mail:"):
        return x509.RFC822Name(name.removeprefix("mail:"))
    if name.startswith("https:"):
        return x509.UniformResourceIdentifier(name)
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


class Front(ThreadingHTTPServer):
    """Takes CONNECT for any host, ends its TLS with a certificate, and asks the sandbox; or answers itself.

    certificates: one for each connection in turn, the last for ever. answer: the answer to (host, path), None for the
    sandbox's. closes: after each answer. connects: the hosts that a connection was opened to; log: what was asked over
    them, as URLs.
    """

    daemon_threads = True

    def __init__(self, sandbox: str, *certificates: Path) -> None:
        super().__init__(("127.0.0.1", 0), Tunnel)
        self.sandbox = sandbox.removeprefix("http://")
        self.certificates = list(certificates)
        self.answer: Callable[[str, str], Answer | None] = lambda host, path: None
        self.closes = False
        self.connects: list[str] = []
        self.log: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificates.pop(0) if len(self.certificates) > 1 else self.certificates[0])
        return context

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignored: tests provoke clients that refuse a certificate."""


class Tunnel(BaseHTTPRequestHandler):
    """One connection to the proxy; after CONNECT the host's own."""

    server: Front
    protocol_version = "HTTP/1.1"
    timeout = LIMIT
    host = ""

    def do_CONNECT(self) -> None:
        self.server.connects.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.host = self.path.removesuffix(":443")
        self.connection = self.server.context().wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)

    def do_GET(self) -> None:
        # Without a tunnel the path is a full URL: the request is in clear text.
        self.server.log.append(f"https://{self.host}{self.path}" if self.host else self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, headers, answer = self.server.answer(self.host, self.path) or self._sandbox(body)
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if self.server.closes:
            self.send_header("Connection", "close")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_POST = do_GET

    def _sandbox(self, body: bytes) -> Answer:
        connection = http.client.HTTPConnection(self.server.sandbox, timeout=LIMIT)
        own = {name: value for name, value in self.headers.items() if name.lower() not in {"host", "accept-encoding"}}
        connection.request(self.command, f"/{CHAINS.get(self.host, 'nobody')}{self.path}", body, own)
        response = connection.getresponse()
        answer = response.read()
        connection.close()
        kept = [each for each in response.getheaders() if each[0] in {"Content-Type", "Set-Cookie"}]
        return response.status, kept, answer

    def log_message(self, format: str, *args: Any) -> None:
        """Logs nothing."""


class Listener(Front):
    """A server without a proxy: TLS from the first byte where it has a certificate, else clear text."""

    def get_request(self) -> Any:
        connection, address = super().get_request()
        self.connects.append("localhost")
        if self.certificates:
            connection.settimeout(LIMIT)
            connection = self.context().wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address


@contextmanager
def serving(server: Front) -> Iterator[Any]:
    """The server, while it serves in a thread."""
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(LIMIT)
