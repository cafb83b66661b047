"""The request around its fields: address, method, headers, and how many there were."""

from datetime import timedelta
from urllib.parse import urlsplit

from oauth.diagnosis.causes.rule import (
    Finding,
    Rule,
    open_fact,
    possible,
    proven,
    right,
    rule,
    ruled_out,
    unknown,
    wrong,
)
from oauth.diagnosis.context import Context
from oauth.diagnosis.model import Change, Fix, Label, Target
from oauth.exchange import Step, header
from oauth.formatting import span

USUAL_VERSION = "2.0"
"""The documented version of the API, where no provider profile is known."""

MOST_WINDOWS = 100
"""Stretches of time that are looked at for one in which the limit was passed, whatever a profile says of the pause."""


@rule("header.version_missing", "The Version header is missing")
def version_missing(context: Context) -> Finding:
    """Where the provider's profile, or its answer, says that every call needs it."""
    profile = context.provider.headers if context.provider else ()
    documented = next((item.value for item in profile if item.name.lower() == "version"), "")
    if context.provider is not None and not documented:
        return ruled_out(open_fact("The provider's profile asks for no Version header", "provider"))
    expected = documented or USUAL_VERSION
    value = header(context.exchange.request.headers, "Version")
    change = Change(Target.HEADER, "Version", value, expected)
    fix = Fix(Label.READY, f"Send Version: {expected}", context.step, (change,))
    told = context.explanation is not None and context.explanation.answer == "missing_version"
    sure = proven if documented or told else possible
    if value is None or not value.strip():
        return sure(wrong("There is no Version header", "request headers"), fix=fix)
    if value.strip() != expected:
        text = f"Version is {context.secrets.swept(value)}, where {expected} is documented"
        return sure(wrong(text, "request header, Version"), fix=fix)
    return ruled_out(right(f"Version is {expected}", "request header, Version"))


@rule("header.content_type_on_get", "A Content-Type was sent on a GET")
def content_type_on_get(context: Context) -> Finding:
    """Where the provider's profile, or its answer, says that it is refused."""
    request, provider = context.exchange.request, context.provider
    value = header(request.headers, "Content-Type")
    if provider is not None and provider.content_type_on_get:
        return ruled_out(open_fact("Nothing is known of this provider refusing it", "provider"))
    if request.method.upper() != "GET":
        return ruled_out(right(f"The method is {request.method}", "request"))
    if value is None:
        return ruled_out(right("There is no Content-Type header", "request headers"))
    shown = context.secrets.swept(value)
    fix = Fix(
        Label.READY, "Leave Content-Type out", context.step, (Change(Target.HEADER, "Content-Type", shown, None),)
    )
    told = context.explanation is not None and context.explanation.answer == "content_type_on_get"
    sure = proven if provider is not None or told else possible
    return sure(wrong(f"Content-Type is {shown} on a GET, which has no body", "request header, Content-Type"), fix=fix)


@rule("limit.requests", "The rate limit was exceeded")
def too_many(context: Context) -> Finding:
    """Counted in this history; other programs behind the same address count too, and are not seen here."""
    if not context.past.reach:
        return unknown("How many requests there were is not known: no history was looked at")
    limit = context.request_limit
    if limit is None or limit.seconds < 1:
        return unknown("How many requests this provider allows is not known: its profile does not say")
    # Once passed, the limit holds for the whole pause: what passed it can lie as far back.
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
        f"{limit.requests:,} are allowed from one address"
    )
    fix = Fix(Label.READY, f"Wait {span(limit.pause)}, then send it again", context.step)
    if most > limit.requests:
        return proven(wrong(text, "history"), fix=fix)
    return possible(
        open_fact(text, "history"),
        open_fact("Other programs behind the same address count too, and are not seen here"),
        fix=fix,
    )


@rule("request.address", "The request went to a URL that is not the provider's")
def address(context: Context) -> Finding:
    """Compared with the provider's profile."""
    provider = context.provider
    if provider is None:
        return unknown("The provider's addresses are not known here")
    url = context.exchange.request.url.partition("?")[0]
    if context.step is Step.API:
        expected, holds = provider.api, url.startswith(f"{provider.api}/")
    elif context.step is Step.AUTHORIZE:
        expected = provider.authorization_endpoint
        holds = url == expected
    else:
        expected = provider.token_endpoint
        holds = url == expected
    shown = context.secrets.swept(url)
    if holds and context.step is Step.API and context.explanation is not None:
        path, known = url.removeprefix(provider.api), [item.path for item in provider.endpoints]
        if path not in known and context.explanation.answer == "not_found":
            text = f"The profile does not name the path {context.secrets.swept(path)}; it names {', '.join(known)}"
            return possible(open_fact(text if known else "the profile names no path of the API", "provider"))
    if holds:
        return ruled_out(right(f"The address is the documented one: {shown}", "request"))
    after = expected if context.step is not Step.API else expected + urlsplit(url).path.rpartition("/partner")[2]
    return proven(
        wrong(f"Sent to {shown}", "request"),
        open_fact(f"Documented is {expected}", "provider"),
        fix=Fix(
            Label.READY, "Send it to the documented address", context.step, (Change(Target.URL, "url", shown, after),)
        ),
    )


@rule("request.method", "The endpoint does not accept this method")
def method(context: Context) -> Finding:
    """POST for tokens (RFC 6749 §3.2), GET for the calls of this console."""
    expected = "POST" if context.step in (Step.TOKEN, Step.REFRESH) else "GET"
    sent = context.exchange.request.method.upper()
    if sent == expected:
        return ruled_out(right(f"The method is {expected}", "request"))
    change = Change(Target.METHOD, "method", sent, expected)
    return proven(
        wrong(f"The method is {sent}, and the endpoint takes {expected}", "request"),
        fix=Fix(Label.READY, f"Send it as {expected}", context.step, (change,)),
    )


HEADERS: tuple[Rule, ...] = (version_missing, content_type_on_get)
"""The rules for the headers of an API call."""

PLACE: tuple[Rule, ...] = (address, method)
"""The rules for where a request goes."""
