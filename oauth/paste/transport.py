"""A program's own words for a request that got no response, such as a reset or a timeout."""

import re
from collections.abc import Mapping
from dataclasses import replace

from oauth.exchange import Failure
from oauth.paste.result import Pasted

SOURCE = "error message of a program"

_LONGEST = 300
"""Characters of the line with the message that are kept."""

_SEARCHED = 256 * 1024
"""Characters at the start of a text that are searched: that takes three times as long as all other readers."""

_KINDS: Mapping[str, str] = {
    "program_cors": (
        r"blocked by CORS policy|Cross-Origin Request Blocked"
        r"|not allowed by Access-Control-Allow-Origin|due to access control checks"
    ),
    "program_proxy": (
        r"curl: \(5\)|\bProxyError\b|ERR_(?:PROXY|TUNNEL)_CONNECTION_FAILED|Could not resolve proxy"
        r"|CONNECT tunnel failed"
    ),
    "program_unknown_host": (
        r"curl: \(6\)|Could not resolve host|\bE?NOTFOUND\b(?=.*\S\.\S)|\bEAI_AGAIN\b|\bUnknownHostException\b"
        r"|\bNameResolutionError\b|Failed to resolve '|Name or service not known|nodename nor servname provided"
        r"|\[Errno -[235]\]|no such host\b|No such host is known|ERR_NAME_NOT_RESOLVED"
        r"|The remote name could not be resolved"
        r"|getaddrinfo failed|Temporary failure in name resolution|unable to resolve host address"
        r"|dns error: failed to lookup"
    ),
    "program_refused": (
        r"curl: \(7\)(?!.*(?:[Tt]imed? ?out|No route|unreachable))|\bECONNREFUSED\b|\b[Cc]onnection refused\b"
        r"|ERR_CONNECTION_REFUSED|actively refused it"
    ),
    "program_unreachable": r"\bE(?:HOST|NET)UNREACH\b|No route to host|Network is unreachable|ERR_ADDRESS_UNREACHABLE",
    "program_certificate": (
        r"curl: \((?:51|58|60|77)\)|SSL certificate problem|CERTIFICATE_VERIFY_FAILED|certificate verify failed"
        r"|\bSSLCertVerificationError\b|PKIX path building failed|unable to find valid certification path"
        r"|unable to (?:get local issuer|verify the first) certificate"
        r"|UNABLE_TO_(?:GET_ISSUER_CERT|VERIFY_LEAF_SIGNATURE)"
        r"|\b(?:SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|CERT_HAS_EXPIRED|ERR_TLS_CERT_ALTNAME_INVALID)\b"
        r"|self[- ]signed certificate|x509: certificate|net::ERR_CERT_\w+|The remote certificate is invalid"
    ),
    "program_tls": (
        r"curl: \(35\)|\bSSLHandshakeException\b|\bSSLError\b|\bERR_SSL_\w+|SSL routines:|\bEPROTO\b"
        r"|tls: (?:handshake failure|first record does not look like)|Could not create SSL/TLS secure channel"
        r"|The SSL connection could not be established"
    ),
    "program_timeout": (
        r"curl: \(28\)|\bE(?:SOCKET)?TIMEDOUT\b|\b(?:Connect|Read|Socket)Timeout(?:Error|Exception)?\b"
        r"|ERR_(?:CONNECTION_)?TIMED_OUT|[Cc]onnection timed out|[Rr]ead timed out|i/o timeout|UND_ERR_\w+_TIMEOUT"
        r"|context deadline exceeded|timeout of \d+ ?ms exceeded"
    ),
    "program_reset": (
        r"curl: \((?:52|55|56)\)|\bECONNRESET\b|[Cc]onnection reset by peer|socket hang up|\bRemoteDisconnected\b"
        r"|Remote end closed connection|Empty reply from server|ERR_(?:CONNECTION_(?:RESET|CLOSED)|EMPTY_RESPONSE)"
        r"|\bServerDisconnectedError\b|server closed the connection"
    ),
}
"""Words of curl, browsers and the clients of languages, by kind of failure; where two fit a line, the first counts."""

_MESSAGE = re.compile("|".join(_KINDS.values()))

_SOURCE_CODE = re.compile(r"[=!]==?\s*\S{0,3}\Z|\b(?:case|catch|except|if)\b[^:]*\Z")
"""What stands before the words where a program's source handles such an error."""


def with_failure(items: list[Pasted], text: str) -> list[Pasted]:
    """Return the exchanges with the failure that the text tells of: the only request's, or else one alone.

    A text with a response, or with several requests, is returned as it is: nothing says whose failure it would be.
    """
    if len(items) > 1 or any(item.response is not None or item.request is None for item in items):
        return items
    for message in _MESSAGE.finditer(text, 0, _SEARCHED):
        start = text.rfind("\n", 0, message.start()) + 1
        if not _SOURCE_CODE.search(text[max(start, message.start() - _LONGEST) : message.start()]):
            break
    else:
        return items
    end = text.find("\n", message.end())
    end = len(text) if end < 0 else end
    line = text[start:end].strip()[:_LONGEST]
    kind = next(kind for kind, words in _KINDS.items() if re.search(words, text[start:end]))
    failure = Failure(kind, line)
    if not items:
        return [Pasted(failure=failure, source=SOURCE, spans=((start, end),))]
    return [replace(items[0], failure=failure, spans=(*items[0].spans, (start, end)))]
