"""TLS over a stream, and a name for each way in which its handshake fails (RFC 8446, RFC 5246)."""

import ssl

from oauth.wire.sockets import PIECE, Broken, Stream

_BY_VERIFY_CODE = {
    9: "tls_not_yet_valid",
    10: "tls_expired",
    18: "tls_self_signed",
    19: "tls_unknown_issuer",
    20: "tls_unknown_issuer",
    21: "tls_unknown_issuer",
    62: "tls_wrong_name",
    64: "tls_wrong_name",
}
"""What OpenSSL's codes of a certificate that does not verify mean (X509_V_ERR_*)."""

_OLD_PROTOCOL = {
    "TLSV1_ALERT_PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL", "WRONG_SSL_VERSION", "NO_PROTOCOLS_AVAILABLE",
    "VERSION_TOO_LOW", "TLSV1_ALERT_INSUFFICIENT_SECURITY",
}  # fmt: skip

_OUR_CERTIFICATE = {
    "TLSV13_ALERT_CERTIFICATE_REQUIRED", "TLSV1_ALERT_UNKNOWN_CA", "TLSV1_ALERT_ACCESS_DENIED",
    "SSLV3_ALERT_BAD_CERTIFICATE", "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE", "SSLV3_ALERT_CERTIFICATE_REVOKED",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED", "SSLV3_ALERT_CERTIFICATE_UNKNOWN", "SSLV3_ALERT_NO_CERTIFICATE",
    "TLSV1_ALERT_DECRYPT_ERROR",
}  # fmt: skip
"""Alerts of a server about the certificate of the client, or about none (RFC 8446 §6.2)."""

_RECORDS = range(20, 24)
"""The first byte of a TLS record; an answer that begins otherwise is no TLS."""
_HANDSHAKE, _CERTIFICATE_REQUEST = 22, 13


class TlsStream:
    """A stream inside another, encrypted. The handshake is done, within the other's time limits, when it is made."""

    def __init__(self, inner: Stream, context: ssl.SSLContext, host: str) -> None:
        """Raises ``Broken`` when the handshake fails."""
        self._inner = inner
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._came = bytearray()
        try:
            self._shake_hands()
        except ssl.SSLError as error:
            raise Broken(self._kind(error), _words(error)) from error
        except OSError as error:
            raise Broken("tls", f"the connection ended during the TLS handshake: {error}") from error

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self._tls.write(data)
        self._flush()

    def receive(self) -> bytes:
        """What comes next; nothing at the end, also where the server closes without saying so."""
        while True:
            try:
                return self._tls.read(PIECE)
            except ssl.SSLWantReadError:
                self._flush()
                self._feed()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return b""
            except ssl.SSLError as error:
                # With TLS 1.3 a server refuses the client's certificate after the client has finished.
                if error.reason in _OUR_CERTIFICATE:
                    raise Broken("tls_client_certificate", _words(error)) from error
                raise

    def close(self) -> None:
        """Close the connection at once."""
        self._inner.close()

    def _shake_hands(self) -> None:
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                self._came += self._feed()
            except ssl.SSLError:
                self._flush()  # the alert that tells the server why
                raise
            else:
                self._flush()
                return

    def _feed(self) -> bytes:
        data = self._inner.receive()
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()
        return data

    def _flush(self) -> None:
        if data := self._outgoing.read():
            self._inner.send(data)

    def _kind(self, error: ssl.SSLError) -> str:
        if isinstance(error, ssl.SSLCertVerificationError):
            return _BY_VERIFY_CODE.get(error.verify_code, "tls")
        if self._came and self._came[0] not in _RECORDS:
            return "tls_not_spoken"
        if error.reason in _OLD_PROTOCOL:
            return "tls_protocol"
        if error.reason in _OUR_CERTIFICATE or ("ALERT" in (error.reason or "") and self._asked_for_certificate()):
            return "tls_client_certificate"
        return "tls"

    def _asked_for_certificate(self) -> bool:
        """Whether the server asked for the client's certificate, where TLS 1.2 still says so in the clear."""
        messages, place = bytearray(), 0
        while place + 5 <= len(self._came) and self._came[place] == _HANDSHAKE:
            length = int.from_bytes(self._came[place + 3 : place + 5])
            messages += self._came[place + 5 : place + 5 + length]
            place += 5 + length
        place = 0
        while place + 4 <= len(messages):
            if messages[place] == _CERTIFICATE_REQUEST:
                return True
            place += 4 + int.from_bytes(messages[place + 1 : place + 4])
        return False


def _words(error: ssl.SSLError) -> str:
    """OpenSSL's reason without the place in its source."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return str(error.verify_message)
    if isinstance(error, ssl.SSLEOFError):
        return "the connection ended during the TLS handshake"
    return (error.reason or str(error)).lower().replace("_", " ")
