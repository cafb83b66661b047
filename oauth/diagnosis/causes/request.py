"""The request apart from its parameters: URL, method, headers, and the rate limit."""

from datetime import timedelta

from oauth.addresses import split
from oauth.diagnosis.causes.fixes import changed
from oauth.diagnosis.causes.rule import UNDATED, Finding, Rule, Weight, possible, proven, rule, ruled_out, unknown
from oauth.diagnosis.context import Context
from oauth.diagnosis.contradictions import ENDPOINT_OF
from oauth.diagnosis.model import Change, Fix, Label, Target, open_fact, right, wrong
from oauth.exchange import Part, Step, header
from oauth.formatting import span

NO_HEADERS = "The headers of the request are not in the pasted text"

MOST_WINDOWS = 100
"""Maximum number of time windows that are searched for too many requests, however long the profile's pause is."""


@rule("header.version_missing", "The Version header is missing", Weight.NAMED)
def version_missing(context: Context) -> Finding:
    """Check for the Version header, if the provider's profile or its response requires it."""
    required = context.terms.headers if context.terms else ()
    expected = next((item.value for item in required if item.name.lower() == "version"), "")
    is_reported = context.explanation is not None and context.explanation.answer == "missing_version"
    if not is_reported and (context.terms is None or not _is_of_api(context)):
        return unknown("The headers that this provider requires are unknown")
    if context.terms is not None and not expected:
        return ruled_out(open_fact("The provider's profile does not require a Version header", "provider"))
    value = context.header("Version")
    if value is None and not context.is_known(Part.REQUEST_HEADERS):
        return unknown(NO_HEADERS, "request headers")
    needs = "" if expected else "the version of the API"
    title = f"Send Version: {expected}" if expected else "Send Version"
    fix = changed(context, title, Change(Target.HEADER, "Version", value, expected, needs))
    if value is None or not value.strip():
        return proven(wrong("There is no Version header", "request headers"), fix=fix)
    if not expected:
        return ruled_out(right("The request has a Version header", "request header, Version"))
    if value.strip() != expected:
        text = f"Version is {context.secrets.swept(value)}, but {expected} is documented"
        return proven(wrong(text, "request header, Version"), fix=fix)
    return ruled_out(right(f"Version is {expected}", "request header, Version"))


@rule("header.content_type_on_get", "A Content-Type was sent on a GET", Weight.NAMED)
def content_type_on_get(context: Context) -> Finding:
    """Check for a Content-Type on a GET, if the provider's profile or its response says that it is refused."""
    request, terms = context.exchange.request, context.terms
    value = context.header("Content-Type")
    if terms is None or terms.content_type_on_get:
        return ruled_out(open_fact("This provider is not known to refuse it", "provider"))
    if not context.is_known(Part.METHOD):
        return unknown("The method is not in the pasted text", "request")
    if request.method.upper() != "GET":
        return ruled_out(right(f"The method is {request.method}", "request"))
    if value is None and not context.is_known(Part.REQUEST_HEADERS):
        return unknown(NO_HEADERS, "request headers")
    if value is None:
        return ruled_out(right("There is no Content-Type header", "request headers"))
    shown = context.secrets.swept(value)
    fix = changed(context, "Omit Content-Type", Change(Target.HEADER, "Content-Type", shown, None))
    return proven(
        wrong(f"Content-Type is {shown} on a GET, which has no body", "request header, Content-Type"), fix=fix
    )


@rule("limit.requests", "The rate limit was exceeded", Weight.NAMED)
def too_many(context: Context) -> Finding:
    """Count the requests in this history. Other programs behind the same IP address count too, but are unknown here."""
    limit = context.request_limit
    if limit is None or limit.seconds < 1:
        return unknown("The rate limit of this provider is unknown: its profile does not say")
    if not context.past.reach or not context.host:
        allowed = f"{limit.requests:,} in {span(limit.seconds)} are allowed from one IP address"
        return unknown(f"The number of requests is unknown: no history was searched; {allowed}")
    if not context.is_known(Part.TIME):
        return unknown(UNDATED)
    # Once exceeded, the limit applies for the whole pause, so the excess can lie that far back.
    window = timedelta(seconds=limit.seconds)
    most = max(
        context.past.sent_to(context.host, start, start + window)
        for start in (
            context.at - window * back for back in range(1, min(limit.pause // limit.seconds, MOST_WINDOWS) + 2)
        )
    )
    requests = "1 request" if most == 1 else f"{most:,} requests"
    text = (
        f"{requests} to {context.host} in {span(limit.seconds)} are known here; "
        f"{limit.requests:,} are allowed from one IP address"
    )
    fix = Fix(Label.READY, f"Wait {span(limit.pause)}, then send it again", context.step)
    if most > limit.requests:
        return proven(wrong(text, "history"), fix=fix)
    return possible(
        open_fact(text, "history"),
        open_fact("Other programs behind the same IP address count too, but are unknown here"),
        fix=fix,
    )


@rule("request.address", "The request went to a URL that is not the provider's", Weight.NAMED)
def address(context: Context) -> Finding:
    """Compare the URL with the endpoints in the provider's profile."""
    provider = context.provider
    if provider is None:
        return unknown("The provider's endpoints are unknown here")
    if not context.host:
        return unknown("The address of the request is unknown", "request")
    url = context.exchange.request.url.partition("?")[0]
    if context.step is Step.API:
        expected, holds = provider.api, f"{url}/".startswith(f"{provider.api}/")
    else:
        expected = str(getattr(provider, ENDPOINT_OF.get(context.step, ""), ""))
        holds = url == expected
    if not expected:
        return unknown("The profile has no address for this step", "provider")
    shown = context.secrets.swept(url)
    if holds and context.step is Step.API and context.explanation is not None:
        path, paths = url.removeprefix(provider.api), [item.path for item in provider.endpoints]
        if path not in paths and context.explanation.answer == "not_found":
            text = f"The profile does not name the path {context.secrets.swept(path)}; it names {', '.join(paths)}"
            return possible(open_fact(text if paths else "The profile names no API paths", "provider"))
    if holds:
        return ruled_out(right(f"The URL is the documented one: {shown}", "request"))
    after = expected if context.step is not Step.API else expected + split(url).path.rpartition("/partner")[2]
    return proven(
        wrong(f"Sent to {shown}", "request"),
        open_fact(f"The documented URL is {expected}", "provider"),
        fix=changed(context, "Send it to the documented URL", Change(Target.URL, "url", shown, after)),
    )


@rule("request.method", "The endpoint does not accept this method", Weight.NAMED)
def method(context: Context) -> Finding:
    """Check for POST to the token endpoint (RFC 6749 §3.2), or else for the methods that the response allows."""
    if not context.is_known(Part.METHOD):
        return unknown("The method is not in the pasted text", "request")
    response, sent = context.exchange.response, context.exchange.request.method.upper()
    allowed = (header(response.headers, "Allow") or "" if response else "").upper().replace(",", " ").split()
    is_token = context.step in (Step.TOKEN, Step.REFRESH)
    if sent in (allowed or ["POST"] * is_token):
        return ruled_out(right(f"The method is {sent}", "request"))
    if not allowed and not is_token:
        return unknown("The methods that this endpoint accepts are unknown")
    expected = "POST" if is_token and (not allowed or "POST" in allowed) else allowed[0]
    fix = changed(context, f"Send it as {expected}", Change(Target.METHOD, "method", sent, expected))
    # Some servers take a token request by GET; a 405 says that this one does not (RFC 9110 §15.5.6).
    says_no = response is not None and response.status == 405 and context.is_known(Part.RESPONSE_HEADERS)
    is_refused = context.is_documented or says_no
    conclude = proven if is_refused and not _is_redirect(context) else possible
    return conclude(wrong(f"The method is {sent}, but the endpoint accepts {expected}", "request"), fix=fix)


@rule("request.accept", "The Accept header is missing or names no format of the server", Weight.NAMED)
def accept(context: Context) -> Finding:
    """Check for an Accept header, which a server that answers 406 asks for (RFC 9110 §15.5.7)."""
    value = context.header("Accept")
    if value is None and not context.is_known(Part.REQUEST_HEADERS):
        return unknown(NO_HEADERS, "request headers")
    change = Change(Target.HEADER, "Accept", value, "application/json")
    fix = changed(context, "Send Accept: application/json", change)
    if value is None:
        return proven(wrong("There is no Accept header", "request headers"), fix=fix)
    if "json" in value.lower():
        return ruled_out(right(f"Accept is {context.secrets.swept(value)}", "request header, Accept"))
    return possible(wrong(f"Accept is {context.secrets.swept(value)}", "request header, Accept"), fix=fix)


def _is_of_api(context: Context) -> bool:
    """Return whether the request went to the provider's API, and not to another page of its host."""
    api = split(context.terms.api).path.removeprefix("/sandbox") if context.terms else ""
    return context.provider is not None or f"{api}/" in split(context.exchange.request.url).path


def _is_redirect(context: Context) -> bool:
    response = context.exchange.response
    return response is not None and 300 <= response.status < 400


HEADERS: tuple[Rule, ...] = (version_missing, content_type_on_get)
"""Rules for the headers of an API call."""

PLACE: tuple[Rule, ...] = (address, method)
"""Rules for URL and method."""
