"""Causes of each error, and the causes checked before a request is sent."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import chain

from oauth import parameters
from oauth.catalogue.explain import Explanation
from oauth.catalogue.matcher import Where
from oauth.catalogue.subject import LONGEST, Subject, missing_parameter, subject_of_parameter, subjects
from oauth.diagnosis.causes import (
    access_token,
    api_key,
    authorization,
    client,
    code,
    device_code,
    grant,
    parameter,
    pkce,
    redirect_uri,
    refresh_token,
    request,
    revocation,
    scope,
    shape,
)
from oauth.diagnosis.causes.rule import Rule, Weight
from oauth.diagnosis.context import GRANTS, Context
from oauth.exchange import Step
from oauth.flow import Grant

OF_A_GRANT: Mapping[str, tuple[str, ...]] = {
    Grant.AUTHORIZATION_CODE: ("code", "pkce", "redirect_uri", "code_verifier"),
    Grant.REFRESH_TOKEN: ("refresh_token",),
    Grant.DEVICE_CODE: ("device_code",),
}
"""Families of causes that only requests of one grant can have."""

DOCUMENTED: Mapping[int, tuple[Rule, ...]] = {
    1: parameter.missing("code"),
    2: (*code.LIFE, *redirect_uri.RULES),
    3: parameter.missing("grant_type"),
    4: scope.ASKED,
    5: client.INACTIVE,
    6: client.CREDENTIALS,
    7: access_token.REFUSED,
    8: scope.TOKEN,
    9: (access_token.of_application,),
    10: grant.ALLOWED,
    11: refresh_token.REFUSED,
}
"""Causes of each documented error."""

OF_AN_ENTRY: Mapping[str, tuple[Rule, ...]] = {
    "olxgroup/unknown_partner": api_key.RULES,
    "olxgroup/client_credentials": (*client.CREDENTIALS, client.not_by_basic),
    "olxgroup/authorization_code": code.LIFE,
    "olxgroup/access_token_expired": access_token.REFUSED,
}
"""Causes of the documented errors of the sister API, by entry."""

CLIENT = (
    client.id_differs,
    *client.CREDENTIALS,
    client.other_method,
    client.basic_not_decoded,
    client.id_in_body,
    parameter.BODY_UNREADABLE,
    client.deactivated,
)
"""Causes of a client that was not authenticated."""

REFRESH = (*parameter.absent("refresh_token"), *refresh_token.REFUSED, revocation.refresh_token, revocation.replayed)
"""Causes of a refused refresh token."""

OF_THE_TOKEN_ENDPOINT: Mapping[Subject, tuple[Rule, ...]] = {
    Subject.BODY: (
        parameter.BODY_UNREADABLE,
        parameter.in_query("grant_type"),
        parameter.REPEATED,
        client.both,
        request.method,
    ),
    Subject.METHOD: (request.method,),
    Subject.GRANT: (*parameter.missing("grant_type"), *grant.SPELLING, *grant.ALLOWED),
    Subject.CLIENT: CLIENT,
    Subject.CODE: (*parameter.absent("code"), *code.LIFE),
    Subject.REDIRECT_URI: redirect_uri.RULES,
    Subject.VERIFIER: (*pkce.RULES, *pkce.ASKED),
    Subject.REFRESH_TOKEN: REFRESH,
    Subject.DEVICE_CODE: (*parameter.absent("device_code"), *device_code.RULES),
    Subject.SCOPE: (*scope.ASKED, scope.beyond_registration),
}
"""Causes at a token endpoint, by the part of the request that they are about."""

OF_THE_CALLBACK: Mapping[str, tuple[Rule, ...]] = {
    "access_denied": (authorization.denied,),
    "consent_required": (authorization.consent_required,),
    **dict.fromkeys(authorization.SIGN_IN, (authorization.login_required,)),
}
"""Causes of a code that is not about the parts of an authorization request."""

OF_A_CODE: Mapping[str, frozenset[Subject]] = {
    "invalid_grant": frozenset(
        {Subject.CODE, Subject.REDIRECT_URI, Subject.VERIFIER, Subject.REFRESH_TOKEN, Subject.DEVICE_CODE}
    ),
    "redirect_uri_mismatch": frozenset({Subject.REDIRECT_URI}),
    "mismatching_redirect_uri": frozenset({Subject.REDIRECT_URI}),
    "invalid_client": frozenset({Subject.CLIENT}),
    # Some servers send it for a client that they could not authenticate.
    "unauthorized_client": frozenset({Subject.CLIENT, Subject.GRANT}),
    "unsupported_grant_type": frozenset({Subject.GRANT}),
    "invalid_scope": frozenset({Subject.SCOPE}),
    "unsupported_response_type": frozenset({Subject.RESPONSE_TYPE}),
    "unsupported_token_type": frozenset({Subject.TOKEN}),
    "access_denied": frozenset({Subject.DEVICE_CODE}),
    "expired_token": frozenset({Subject.DEVICE_CODE}),
}
"""The parts of a request that a registered code is about. Any other code says nothing."""

OF_AUTHORIZATION: Mapping[Subject, tuple[Rule, ...]] = {
    Subject.CLIENT: (
        authorization.client_id_missing,
        client.white_space,
        client.other_provider,
        client.id_differs,
        authorization.client_not_active,
    ),
    Subject.REDIRECT_URI: (authorization.redirect_uri,),
    Subject.RESPONSE_TYPE: (authorization.response_type,),
    Subject.VERIFIER: pkce.ASKED,
    Subject.SCOPE: (
        scope.separators,
        scope.letter_case,
        scope.never_granted,
        *scope.WIDER,
        scope.taken_away,
    ),
    Subject.GRANT: (grant.others_worked, grant.taken_away, grant.none_worked),
    Subject.BODY: (parameter.REPEATED,),
}
"""Causes of a refused authorization request, by the part of the request that they are about."""

OF_PUSHING: Mapping[Subject, tuple[Rule, ...]] = {
    **{subject: rules for subject, rules in OF_AUTHORIZATION.items() if subject is not Subject.GRANT},
    Subject.CLIENT: CLIENT,
}

OF_A_TOKEN: Mapping[Subject, tuple[Rule, ...]] = {
    Subject.CLIENT: CLIENT,
    Subject.TOKEN: (*parameter.absent("token"), revocation.hint_unknown, revocation.other_client),
}

OF_THE_ENDPOINT: Mapping[Step, Mapping[Subject, tuple[Rule, ...]]] = {
    Step.TOKEN: OF_THE_TOKEN_ENDPOINT,
    Step.REFRESH: OF_THE_TOKEN_ENDPOINT,
    Step.AUTHORIZE: OF_AUTHORIZATION,
    Step.CALLBACK: OF_AUTHORIZATION,
    Step.PAR: OF_PUSHING,
    Step.DEVICE: {Subject.CLIENT: CLIENT, Subject.SCOPE: (*scope.ASKED, *scope.WIDER)},
    Step.REVOKE: OF_A_TOKEN,
    Step.INTROSPECT: OF_A_TOKEN,
}
"""Causes at each endpoint of the authorization server."""

REFUSED_TOKEN: tuple[Rule, ...] = (
    access_token.left_out,
    *access_token.REFUSED,
    revocation.access_token,
    revocation.replayed_access,
)
"""Causes of a 401 of a resource (RFC 6750 §3.1)."""

PRIVILEGES: tuple[Rule, ...] = (*scope.TOKEN, access_token.of_application)
"""Causes of a token that is good and does not suffice."""

OF_A_RESOURCE: Mapping[str, tuple[Rule, ...]] = {
    "invalid_token": REFUSED_TOKEN,
    "insufficient_scope": PRIVILEGES,
    "invalid_request": (*request.HEADERS, access_token.scheme, access_token.left_out),
}
"""Causes of a registered code at a resource."""

ANSWERS: Mapping[str, tuple[Rule, ...]] = {
    "missing_version": (request.version_missing,),
    "content_type_on_get": (request.content_type_on_get, request.version_missing),
    "rate_limited": (request.too_many,),
    "not_found": request.PLACE,
    "redirect": request.PLACE,
    "redirect_elsewhere": request.PLACE,
    "redirect_insecure": request.PLACE,
    "no_access_token": request.PLACE,
    "unknown_host": (request.address,),
    "refused": (request.address,),
}
"""Causes of failures and responses that are not about the request's credentials, by kind."""

OF_OTHERS = frozenset({Subject.USER, Subject.ASSERTION})
"""Credentials that nothing is known of."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """The causes that can lead to an error, most specific first.

    ``is_single`` is true when the response speaks of one part of the request. ``further`` are causes that the response
    speaks against, by a code that servers may misuse. With ``is_certain`` the provider documents this very text.
    """

    rules: tuple[Rule, ...] = ()
    is_single: bool = False
    further: tuple[Rule, ...] = ()
    is_certain: bool = False


def candidates_for(explanation: Explanation, context: Context) -> Candidates:
    """Return the causes that can lead to this error."""
    candidates = _candidates(explanation, context)
    return replace(
        candidates, rules=_of_grant(candidates.rules, context), further=_of_grant(candidates.further, context)
    )


def _of_grant(rules: Iterable[Rule], context: Context) -> tuple[Rule, ...]:
    """Leave out the causes that only a request of another grant can have."""
    if context.step not in (Step.TOKEN, Step.REFRESH):
        return tuple(rules)
    if not context.request_known or (not context.grant and not context.is_body_known):
        return tuple(rules)
    others = {family for name, families in OF_A_GRANT.items() if name != _meant_grant(context) for family in families}
    return tuple(rule for rule in rules if rule.id.partition(".")[0] not in others)


def _meant_grant(context: Context) -> str:
    """Return the grant that a request asks for; empty when it asks for one that nobody knows."""
    if context.grant:
        return context.grant if context.grant in GRANTS else grant.nearest(context.grant)
    credentials = {
        "code": Grant.AUTHORIZATION_CODE,
        "refresh_token": Grant.REFRESH_TOKEN,
        "device_code": Grant.DEVICE_CODE,
    }
    by_step = Grant.REFRESH_TOKEN if context.step is Step.REFRESH else Grant.AUTHORIZATION_CODE
    return next((kind for name, kind in credentials.items() if context.sent.anywhere(name)), by_step).value


def _candidates(explanation: Explanation, context: Context) -> Candidates:
    if context.step is Step.PAGE:  # its request is the browser's: the client's has a row of its own
        return Candidates()
    if explanation.number is not None:
        return Candidates(DOCUMENTED[explanation.number], is_single=True, is_certain=True)
    if explanation.entry in OF_AN_ENTRY:
        return Candidates(OF_AN_ENTRY[explanation.entry], is_single=True, is_certain=True)
    if explanation.answer in ANSWERS:
        return Candidates(ANSWERS[explanation.answer], is_single=True)
    if context.step in (Step.API, Step.USERINFO):
        return _of_resource(explanation, context)
    if context.step is Step.AUTHORIZE and not explanation.error:
        return _of_error_page(explanation, context)
    if context.step is Step.CALLBACK and explanation.code in OF_THE_CALLBACK:
        return Candidates(OF_THE_CALLBACK[explanation.code], is_single=True)
    if context.step in OF_THE_ENDPOINT and is_refusal(explanation, context):
        return _of_endpoint(OF_THE_ENDPOINT[context.step], explanation, context)
    return Candidates(request.PLACE if explanation.answer in ("html", "html_as_json") else ())


def is_refusal(explanation: Explanation, context: Context) -> bool:
    """Return whether the server refused the request itself: it says so by a code or by a status of 4xx."""
    status = (context.exchange.response.status if context.exchange.response else 0) or explanation.status or 0
    return bool(explanation.error or explanation.error_description) or 400 <= status < 500


def _of_resource(explanation: Explanation, context: Context) -> Candidates:
    status = explanation.status or 0
    if explanation.where == Where.LOCATION:
        return Candidates()  # the browser's part of a flow: its callback says the same
    if rules := OF_A_RESOURCE.get(explanation.code):
        further = PRIVILEGES if rules is REFUSED_TOKEN else ()
        return Candidates(rules, is_single=explanation.code != "invalid_request", further=further)
    if status == 406:
        return Candidates((request.accept,), is_single=True)
    if status not in (401, 403):
        is_api = context.step is Step.API and explanation.answer == "unknown_error"
        return Candidates(request.HEADERS if is_api else (), is_single=True)
    if explanation.answer == "no_token":
        return Candidates(REFUSED_TOKEN)
    if subjects(words_of(explanation, context)) == {Subject.SCOPE}:
        return Candidates(PRIVILEGES, is_single=True)
    return Candidates((*REFUSED_TOKEN, *PRIVILEGES) if status == 401 else (*PRIVILEGES, *REFUSED_TOKEN))


def _of_endpoint(known: Mapping[Subject, tuple[Rule, ...]], explanation: Explanation, context: Context) -> Candidates:
    words = words_of(explanation, context)
    every = tuple(rule for rule in chain.from_iterable(known.values()) if rule.weight is not Weight.REPORTED)
    name = missing_parameter(words)
    if name and not context.sent.value(name):
        return Candidates(_missing(name, known, context), is_single=True, further=every)
    spoken, of_code = subjects(words), OF_A_CODE.get(explanation.code, frozenset())
    if context.step is Step.CALLBACK:
        of_code, every = _after_a_redirect(of_code, every)
    if spoken & OF_OTHERS and of_code <= OF_A_CODE["invalid_grant"]:
        return Candidates()
    if spoken == {Subject.CODE} and explanation.code == "invalid_grant":
        spoken |= {Subject.REDIRECT_URI, Subject.VERIFIER}  # a code is invalid with another redirect URI, too
    if own := _about(spoken, known, context):
        return Candidates(tuple(chain.from_iterable(own)), is_single=len(own) == 1)
    if of_code:
        own = _about(of_code, known, context)
        if own:
            return Candidates(tuple(chain.from_iterable(own)), is_single=len(own) == 1, further=every)
    return Candidates(every)


def _after_a_redirect(
    of_code: frozenset[Subject], every: tuple[Rule, ...]
) -> tuple[frozenset[Subject], tuple[Rule, ...]]:
    """Leave out client and redirect URI: a server that redirects knows both (RFC 6749 §4.1.2.1)."""
    known = {*OF_AUTHORIZATION[Subject.CLIENT], *OF_AUTHORIZATION[Subject.REDIRECT_URI]}
    narrower = of_code - {Subject.CLIENT} if Subject.GRANT in of_code else of_code
    return narrower, tuple(rule for rule in every if rule not in known)


def _about(
    spoken: frozenset[Subject], known: Mapping[Subject, tuple[Rule, ...]], context: Context
) -> list[tuple[Rule, ...]]:
    """Return the causes of each part of the request that is spoken of and that the request can have."""
    own = (_of_grant(rules, context) for subject, rules in known.items() if subject in spoken)
    return [rules for rules in own if rules]


def _of_error_page(explanation: Explanation, context: Context) -> Candidates:
    """Return the causes of a page in place of a redirect: client and redirect URI, unless its words name another part.

    RFC 6749 §4.1.2.1: with a client and a redirect URI that it knows, a server redirects with a code.
    """
    candidates = _of_endpoint(OF_AUTHORIZATION, explanation, context)
    return replace(candidates, further=()) if candidates.is_single else Candidates(authorization.REFUSED)


def _missing(name: str, known: Mapping[Subject, tuple[Rule, ...]], context: Context) -> tuple[Rule, ...]:
    """Return the causes of a parameter that the server says is missing."""
    subject = subject_of_parameter(name)
    if known is OF_AUTHORIZATION:
        return known[subject] if subject is not None and subject in known else parameter.missing(name)
    if subject is Subject.CLIENT:
        ways = (client.credentials_missing, client.other_method, client.id_in_body, client.basic_encoding)
        return (*ways, *parameter.missing(name)[1:])
    if subject in (Subject.VERIFIER, Subject.REDIRECT_URI) and context.behind_code.parameters is not None:
        return (*known[subject], *parameter.missing(name)[1:])
    return parameter.missing(name)


def words_of(explanation: Explanation, context: Context) -> str:
    """Return the words of a refusal: its description, or else its body when it has no code that is registered."""
    response = context.exchange.response
    hints = [parameters.member(response, name) for name in ("hint", "error_hint", "error_debug")]
    if explanation.error_description:
        return ". ".join(filter(None, (explanation.error_description, *hints)))
    if explanation.kind in ("registered", "provider") or response is None:
        return ". ".join(filter(None, hints))
    if explanation.error:
        return explanation.error
    return _TAG.sub(" ", response.body[:LONGEST].decode("utf-8", "replace"))


_TAG = re.compile(r"<[^<>]*>")


def rules_before(context: Context) -> tuple[Rule, ...]:
    """Return the causes that can be judged without a response, before the request is sent."""
    return _of_grant(_rules_before(context), context)


def _rules_before(context: Context) -> tuple[Rule, ...]:
    match context.step:
        case Step.AUTHORIZE:
            return (
                authorization.client_id_missing,
                client.never_active,
                authorization.redirect_uri,
                authorization.response_type,
                client.white_space,
                scope.separators,
                scope.letter_case,
            )
        case Step.API:
            return (
                *_key(context),
                access_token.left_out,
                access_token.scheme,
                access_token.expired,
                access_token.other_host,
                access_token.replaced,
                access_token.of_application,
                *shape.altered(shape.ACCESS_TOKEN),
                *request.HEADERS,
                request.address,
            )
        case Step.TOKEN | Step.REFRESH:
            return (*_key(context), *_token_request(context), *request.PLACE)
        case _:
            return ()


def _key(context: Context) -> tuple[Rule, ...]:
    return api_key.RULES if context.api_key_header else ()


def _token_request(context: Context) -> tuple[Rule, ...]:
    always = (
        *parameter.missing("grant_type"),
        grant.misspelt,
        client.credentials_missing,
        client.white_space,
        client.quotes,
        client.swapped,
        client.basic_encoding,
        client.both,
        client.secret_differs,
        client.never_active,
        parameter.REPEATED,
    )
    asks = (scope.separators, scope.letter_case, scope.beyond_consent)
    grant_type = context.grant
    if grant_type == Grant.REFRESH_TOKEN or (context.step is Step.REFRESH and not grant_type):
        return (*always, *parameter.missing("refresh_token"), *refresh_token.REFUSED, *asks)
    if grant_type == Grant.CLIENT_CREDENTIALS:
        return (*always, *asks)
    if grant_type == Grant.DEVICE_CODE:
        return (*always, *parameter.missing("device_code"))
    return (*always, *parameter.missing("code"), *code.LIFE, *redirect_uri.RULES, *pkce.RULES, *asks)
