"""Parse curl's options, by name, short name and whether they take a value."""

from dataclasses import dataclass, field

from oauth.lenient_json import ParseError

MOST_OPTIONS = 1_000
"""Options of one request, of which a long one has some dozens: each is looked at for each address."""

_SHORT_WITH_VALUE_TEXT = """
    E=cert K=config C=continue-at b=cookie c=cookie-jar d=data D=dump-header F=form P=ftp-port H=header h=help
    m=max-time o=output x=proxy U=proxy-user Q=quote r=range e=referer X=request Y=speed-limit y=speed-time
    t=telnet-option z=time-cond T=upload-file u=user A=user-agent w=write-out
"""
_SHORT_TEXT = """
    a=append q=disable f=fail G=get g=globoff I=head 0=http1.0 i=include k=insecure 4=ipv4 6=ipv6
    j=junk-session-cookies l=list-only L=location M=manual n=netrc :=next N=no-buffer Z=parallel #=progress-bar
    p=proxytunnel J=remote-header-name O=remote-name R=remote-time S=show-error s=silent 2=sslv2 3=sslv3 1=tlsv1
    B=use-ascii v=verbose V=version
"""
_WITH_VALUE_TEXT = """
    abstract-unix-socket alt-svc aws-sigv4 cacert capath cert-type ciphers connect-timeout connect-to create-file-mode
    crlfile curves data-ascii data-binary data-raw data-urlencode delegation dns-interface dns-ipv4-addr dns-ipv6-addr
    dns-servers doh-url ech egd-file engine etag-compare etag-save expect100-timeout form-string ftp-account
    ftp-alternative-to-user ftp-method ftp-ssl-ccc-mode happy-eyeballs-timeout-ms haproxy-clientip hostpubmd5
    hostpubsha256 hsts interface ip-tos ipfs-gateway json keepalive-cnt keepalive-time key key-type knownhosts krb
    libcurl limit-rate local-port login-options mail-auth mail-from mail-rcpt max-filesize max-redirs netrc-file noproxy
    oauth2-bearer output-dir parallel-max parallel-max-host pass pinnedpubkey preproxy proto proto-default proto-redir
    proxy-cacert proxy-capath proxy-cert proxy-cert-type proxy-ciphers proxy-crlfile proxy-header proxy-key
    proxy-key-type proxy-pass proxy-pinnedpubkey proxy-service-name proxy-tls13-ciphers proxy-tlsauthtype
    proxy-tlspassword proxy-tlsuser proxy1.0 pubkey random-file rate request-target resolve retry retry-delay
    retry-max-time sasl-authzid service-name sigalgs socks4 socks4a socks5 socks5-gssapi-service socks5-hostname stderr
    tftp-blksize tls-max tls13-ciphers tlsauthtype tlspassword tlsuser trace trace-ascii trace-config unix-socket
    upload-flags url url-query variable vlan-priority
"""
_WITHOUT_VALUE_TEXT = """
    anyauth basic ca-native cert-status compressed compressed-ssh create-dirs crlf digest disable-eprt disable-epsv
    disallow-username-in-url doh-cert-status doh-insecure fail-early fail-with-body false-start follow form-escape
    ftp-create-dirs ftp-pasv ftp-pret ftp-skip-pasv-ip ftp-ssl-ccc ftp-ssl-control ftp-ssl-reqd haproxy-protocol http0.9
    http1.1 http2 http2-prior-knowledge http3 http3-only ignore-content-length location-trusted mail-rcpt-allowfails
    metalink mptcp negotiate netrc-optional no-alpn no-clobber no-keepalive no-npn no-progress-meter no-sessionid ntlm
    ntlm-wb out-null parallel-immediate path-as-is post301 post302 post303 progress-meter proxy-anyauth proxy-basic
    proxy-ca-native proxy-digest proxy-http2 proxy-insecure proxy-negotiate proxy-ntlm proxy-ssl-allow-beast
    proxy-ssl-auto-client-cert proxy-tlsv1 raw remote-name-all remove-on-error retry-all-errors retry-connrefused
    sasl-ir skip-existing socks5-basic socks5-gssapi socks5-gssapi-nec ssl ssl-allow-beast ssl-auto-client-cert
    ssl-no-revoke ssl-reqd ssl-revoke-best-effort styled-output suppress-connect-headers tcp-fastopen tcp-nodelay
    tftp-no-options tls-earlydata tlsv1.0 tlsv1.1 tlsv1.2 tlsv1.3 tr-encoding trace-ids trace-time xattr
"""

_SHORT_WITH_VALUE = dict(pair.split("=") for pair in _SHORT_WITH_VALUE_TEXT.split())
_SHORT = dict(pair.split("=") for pair in _SHORT_TEXT.split())
_WITH_VALUE = frozenset(_SHORT_WITH_VALUE.values()) | frozenset(_WITH_VALUE_TEXT.split())
_WITHOUT_VALUE = frozenset(_SHORT.values()) | frozenset(_WITHOUT_VALUE_TEXT.split())
_ALL = _WITH_VALUE | _WITHOUT_VALUE


@dataclass(slots=True)
class Arguments:
    """The options and addresses of one request, in order; ``unknown`` are options that curl does not have."""

    options: list[tuple[str, str]] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    valueless: list[str] = field(default_factory=list)

    def last(self, *names: str) -> str | None:
        """Return the value of the last of these options, ``None`` without any; a switch has an empty value."""
        return next((value for name, value in reversed(self.options) if name in names), None)

    def all(self, *names: str) -> list[tuple[str, str]]:
        """Return all of these options, in order."""
        return [(name, value) for name, value in self.options if name in names]

    def on(self, name: str) -> bool:
        """Return whether a switch is on: the last of ``--name`` and ``--no-name`` counts."""
        return next((option == name for option, _ in reversed(self.options) if option in (name, f"no-{name}")), False)


def parse(words: list[str]) -> list[Arguments]:
    """Parse the words behind ``curl``, into one ``Arguments`` for each part that ``--next`` separates.

    Raises ``ParseError`` for a part with more than ``MOST_OPTIONS``.
    """
    parts = [Arguments()]
    rest = iter(words)
    for word in rest:
        part = parts[-1]
        for name, value in _names(word, part):
            if name == "next":
                parts.append(Arguments())
                break
            if value is None and name in _WITH_VALUE:
                value = next(rest, None)
                if value is None:
                    part.valueless.append(name)
                    break
            part.options.append((name, value or ""))
        if word[:1] != "-" or word == "-":
            part.urls.append(word)
        if len(part.options) + len(part.unknown) > MOST_OPTIONS:
            raise ParseError(f"the curl command has more than {MOST_OPTIONS:,} options; cut it down.")
    return parts


def _names(word: str, part: Arguments) -> list[tuple[str, str | None]]:
    """Return the options in one word, each with its value when that is in the same word."""
    if word.startswith("--"):
        name = _long(word[2:])
        if name is None:
            part.unknown.append(word)
        return [] if name is None else [(name, None)]
    options: list[tuple[str, str | None]] = []
    for place, letter in enumerate(word[1:] if word.startswith("-") else "", 2):
        if letter in _SHORT_WITH_VALUE:
            return [*options, (_SHORT_WITH_VALUE[letter], word[place:] or None)]
        if letter in _SHORT:
            options.append((_SHORT[letter], None))
        else:
            part.unknown.append(f"-{letter}")
    return options


def _long(name: str) -> str | None:
    """Return the full name of a long option; an unambiguous prefix will do, and ``no-`` turns a switch off."""
    if name in _ALL:
        return name
    if name.startswith("no-") and name[3:] in _WITHOUT_VALUE:
        return name
    if name.startswith("expand-") and name[7:] in _WITH_VALUE:
        return name[7:]
    like = [full for full in _ALL if full.startswith(name)] if name else []
    return like[0] if len(like) == 1 else None
