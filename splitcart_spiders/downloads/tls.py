"""Verified connections: a certificate must be trusted, valid now and the host's own, whatever the settings are.

OpenSSL's authorities on this machine are trusted; SSL_CERT_FILE and SSL_CERT_DIR name others.
"""

import weakref
from collections.abc import Callable
from typing import Any

from OpenSSL import SSL
from OpenSSL.crypto import X509
from OpenSSL.SSL import X509VerificationCodes as Codes
from scrapy import Request
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.crawler import Crawler
from scrapy.exceptions import DownloadFailedError
from scrapy.http import Response
from service_identity import CertificateError, VerificationError
from service_identity.hazmat import DNS_ID, IPAddress_ID, verify_service_identity
from service_identity.pyopenssl import extract_patterns
from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.ssl import optionsForClientTLS
from twisted.python.failure import Failure
from twisted.web.iweb import IPolicyForHTTPS
from zope.interface import implementer

from splitcart_spiders.errors import CertificateRefused

WORDS = {
    Codes.ERR_CERT_HAS_EXPIRED: "it has expired",
    Codes.ERR_CERT_NOT_YET_VALID: "it is not valid yet",
    Codes.ERR_DEPTH_ZERO_SELF_SIGNED_CERT: "it is signed by itself",
    Codes.ERR_SELF_SIGNED_CERT_IN_CHAIN: "its chain ends in an authority that this machine does not trust",
    Codes.ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its issuer is not one that this machine trusts",
    Codes.ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its issuer is not one that this machine trusts",
    Codes.ERR_INVALID_PURPOSE: "it is not for servers",
}
"""The most frequent verdicts of OpenSSL, in words."""
UNTRUSTED = "certificate verify failed"
"""OpenSSL's message if its verdict is not available."""
Verify = Callable[[SSL.Connection, X509, int, int, int], bool]


@implementer(IOpenSSLClientConnectionCreator)
class VerifiedHost:
    """Makes the connections to one host. Twisted's own class accepts a certificate without names, or whose names it
    cannot read; this one refuses it."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.options: Any = optionsForClientTLS(host)
        self.wanted = IPAddress_ID(host) if isIPAddress(host) or isIPv6Address(host) else DNS_ID(host)

    def clientConnectionForTLS(self, protocol: Any) -> SSL.Connection:
        """A connection that fails with CertificateRefused before any request is sent."""
        connection: SSL.Connection = self.options.clientConnectionForTLS(protocol)
        connection.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, self._verify(weakref.ref(protocol)))
        return connection

    def _verify(self, protocol: Callable[[], Any]) -> Verify:
        def verify(connection: SSL.Connection, certificate: X509, code: int, depth: int, ok: int) -> bool:
            why = self.fault(certificate, code, depth, bool(ok))
            if why and (asking := protocol()) is not None:
                refused = CertificateRefused(f"the certificate of {self.host} is refused: {why}")
                asking.failVerification(Failure(refused))
            return not why

        return verify

    def fault(self, certificate: X509, code: int, depth: int, ok: bool) -> str | None:
        """Why a certificate is refused, None if it is accepted; depth 0 is the host's own."""
        if not ok:
            return WORDS.get(code, f"OpenSSL's verdict is {code}")
        if depth > 0:
            return None
        try:
            verify_service_identity(extract_patterns(certificate), [self.wanted], [])
        except VerificationError:
            return "it is for other hosts"
        except CertificateError as error:
            return f"its names prove nothing ({error})"
        except Exception as error:  # noqa: BLE001 - whatever a certificate makes its reader raise, it proves nothing
            return f"its names cannot be read ({type(error).__name__})"
        return None


@implementer(IPolicyForHTTPS)
class VerifiedHosts:
    """The policy by which Scrapy's handler connects over TLS."""

    def __init__(self) -> None:
        self._hosts: dict[bytes, VerifiedHost] = {}

    def creatorForNetloc(self, hostname: bytes, port: int) -> VerifiedHost:
        """One per host: the machine's authorities are read once for each."""
        if hostname not in self._hosts:
            self._hosts[hostname] = VerifiedHost(hostname.decode("ascii"))
        return self._hosts[hostname]


class Verifying:
    """A mixin for a download handler: verifies as above, and raises CertificateRefused if that fails."""

    _contextFactory: Any

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)  # type: ignore[call-arg]
        assert hasattr(self, "_contextFactory"), "the handler of this Scrapy version does not use VerifiedHosts"
        self._contextFactory = VerifiedHosts()

    async def download_request(self, request: Request) -> Response:
        """The response; raises CertificateRefused, which no middleware retries."""
        try:
            return await super().download_request(request)  # type: ignore[misc]
        except DownloadFailedError as error:
            if (why := refusal(error)) is None:
                raise
            raise CertificateRefused(f"{request.method} {request.url}: {why}.") from error


class VerifyingHandler(Verifying, HTTP11DownloadHandler):  # type: ignore[misc]
    """Scrapy's own handler, verifying."""


def refusal(error: BaseException) -> str | None:
    """Why a failed download's certificate was refused, None if it failed for another reason."""
    for reason in getattr(error.__cause__, "reasons", ()):
        cause = getattr(reason, "value", reason)
        if isinstance(cause, CertificateRefused):
            return str(cause)
        if isinstance(cause, SSL.Error) and UNTRUSTED in str(cause):
            return UNTRUSTED
    return None
