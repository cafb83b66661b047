"""TLS over a stream, with a name for each way in which its handshake fails (RFC 8446, RFC 5246)."""

import ssl

from oauth.wire.sockets import PIECE, Stream, WireError

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
"""Failures by OpenSSL's code of a certificate that does not verify (X509_V_ERR_*)."""

_OLD_PROTOCOL = {
    "TLSV1_ALERT_PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL", "WRONG_SSL_VERSION", "NO_PROTOCOLS_AVAILABLE",
    "VERSION_TOO_LOW", "TLSV1_ALERT_INSUFFICIENT_SECURITY",
}  # fmt: skip

_CLIENT_CERTIFICATE = {
    "TLSV13_ALERT_CERTIFICATE_REQUIRED", "TLSV1_ALERT_UNKNOWN_CA", "TLSV1_ALERT_ACCESS_DENIED",
    "SSLV3_ALERT_BAD_CERTIFICATE", "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE", "SSLV3_ALERT_CERTIFICATE_REVOKED",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED", "SSLV3_ALERT_CERTIFICATE_UNKNOWN", "SSLV3_ALERT_NO_CERTIFICATE",
    "TLSV1_ALERT_DECRYPT_ERROR",
}  # fmt: skip
"""Alerts of a server about the client's certificate, or about a missing one (RFC 8446 §6.2)."""

_RECORDS = range(20, 24)
"""The first byte of a TLS record; a response that begins otherwise is not TLS."""
_HANDSHAKE, _CERTIFICATE_REQUEST = 22, 13


class TlsStream:
    """An encrypted stream inside another, whose time limits apply."""

    def __init__(self, inner: Stream, context: ssl.SSLContext, host: str) -> None:
        """Perform the handshake. Raises ``WireError`` when it fails."""
        self._inner = inner
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        try:
            self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        except ValueError as error:  # xn--, for example, is no host name (RFC 5890 §2.3.2.1)
            raise WireError("invalid_url", f"the host {host} cannot be named in TLS: {error}") from error
        self._received = bytearray()
        try:
            self._shake_hands()
        except ssl.SSLError as error:
            raise WireError(self._kind(error), _reason(error)) from error
        except OSError as error:
            raise WireError("tls", f"the connection ended during the TLS handshake: {error}") from error

    def send(self, data: bytes) -> None:
        """Send all data."""
        self._tls.write(data)
        self._flush()

    def receive(self) -> bytes:
        """Receive the next data, empty at the end, also when the server closes without notice."""
        while True:
            try:
                return self._tls.read(PIECE)
            except ssl.SSLWantReadError:
                self._flush()
                self._feed()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return b""
            except ssl.SSLError as error:
                # With TLS 1.3 a server refuses the client's certificate after the handshake.
                if error.reason in _CLIENT_CERTIFICATE:
                    raise WireError("tls_client_certificate", _reason(error)) from error
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
                self._received += self._feed()
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
        if self._received and self._received[0] not in _RECORDS:
            return "tls_not_spoken"
        if error.reason in _OLD_PROTOCOL:
            return "tls_protocol"
        if error.reason in _CLIENT_CERTIFICATE or ("ALERT" in (error.reason or "") and self._requested_certificate()):
            return "tls_client_certificate"
        return "tls"

    def _requested_certificate(self) -> bool:
        """Return whether the server requested the client's certificate, which TLS 1.2 sends unencrypted."""
        messages, position = bytearray(), 0
        while position + 5 <= len(self._received) and self._received[position] == _HANDSHAKE:
            length = int.from_bytes(self._received[position + 3 : position + 5])
            messages += self._received[position + 5 : position + 5 + length]
            position += 5 + length
        position = 0
        while position + 4 <= len(messages):
            if messages[position] == _CERTIFICATE_REQUEST:
                return True
            position += 4 + int.from_bytes(messages[position + 1 : position + 4])
        return False


def _reason(error: ssl.SSLError) -> str:
    """Return OpenSSL's reason without the location in its source."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return str(error.verify_message)
    if isinstance(error, ssl.SSLEOFError):
        return "the connection ended during the TLS handshake"
    return (error.reason or str(error)).lower().replace("_", " ")
