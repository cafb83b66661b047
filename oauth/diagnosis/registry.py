"""Causes of each error, and the causes checked before a request is sent."""

import re
from collections.abc import Iterable, Mapping

from oauth.catalogue.explain import Explanation
from oauth.catalogue.subject import Subject, subject_of
from oauth.diagnosis.causes import (
    access_token,
    authorization,
    client,
    code,
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
from oauth.diagnosis.causes.rule import Rule
from oauth.diagnosis.context import GRANTS, Context
from oauth.exchange import Step
from oauth.flow import Grant

MISSING_PARAMETER = re.compile(r"""[Mm]issing\s+(?:required\s+)?parameters?:?\s*(["'“`]?)([a-z_]+)["'”`]?""")
"""Description of an error that names a missing parameter. A word without quotes may be any other."""

OF_A_GRANT: Mapping[str, tuple[str, ...]] = {
    Grant.AUTHORIZATION_CODE: ("code", "pkce", "redirect_uri"),
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

REGISTERED: Mapping[str, tuple[Rule, ...]] = {
    "redirect_uri_mismatch": redirect_uri.RULES,
    "unsupported_grant_type": grant.SPELLING,
    "invalid_scope": scope.ASKED,
    "invalid_client": (*client.CREDENTIALS, client.deactivated),
    "unauthorized_client": grant.ALLOWED,
    "invalid_token": (*access_token.REFUSED, revocation.access_token),
    "insufficient_scope": scope.TOKEN,
    "unsupported_response_type": (authorization.response_type,),
    "access_denied": (authorization.denied,),
}
"""Causes of a code whose text is not documented."""

AUTHORIZATION: Mapping[str, tuple[Rule, ...]] = {
    "invalid_scope": (scope.separators, scope.letter_case, scope.never_granted, scope.taken_away),
    "unauthorized_client": (grant.others_worked, grant.taken_away, grant.none_worked),
    "invalid_request": (authorization.response_type, parameter.REPEATED),
}
"""Causes of a code from the authorization endpoint, where it has another meaning there."""

UNREADABLE: tuple[Rule, ...] = (parameter.BODY_UNREADABLE, parameter.REPEATED, client.both)
"""Causes of an ``invalid_request`` that names no parameter."""

ANSWERS: Mapping[str, tuple[Rule, ...]] = {
    "missing_version": (request.version_missing,),
    "content_type_on_get": (request.content_type_on_get, request.version_missing),
    "rate_limited": (request.too_many,),
    "no_token": (access_token.left_out, access_token.scheme),
    "not_found": request.PLACE,
    "redirect": request.PLACE,
    "redirect_elsewhere": request.PLACE,
    "redirect_insecure": request.PLACE,
    "html": request.PLACE,
    "html_as_json": request.PLACE,
    "no_access_token": request.PLACE,
    "unknown_host": (request.address,),
    "refused": (request.address,),
    "error_page": authorization.NEVER_CAME,
}
"""Causes of failures and responses that are not OAuth errors, by kind."""


BESIDE: Mapping[Step, tuple[str, ...]] = {
    Step.PAR: ("invalid_client", "invalid_scope", "redirect_uri_mismatch", "unsupported_response_type"),
    Step.DEVICE: ("invalid_client", "invalid_scope"),
    Step.REVOKE: ("invalid_client",),
    Step.INTROSPECT: ("invalid_client",),
    Step.USERINFO: ("invalid_token", "insufficient_scope"),
    Step.JWKS: (),
    Step.DISCOVERY: (),
    Step.REGISTER: (),
}
"""Endpoints beside the flow, and the codes that mean there what they mean in the flow."""


def rules_for(explanation: Explanation, context: Context) -> tuple[Rule, ...]:
    """Return the causes that can lead to this error."""
    return _of_grant(_rules_for(explanation, context), context)


def _of_grant(rules: Iterable[Rule], context: Context) -> tuple[Rule, ...]:
    """Leave out the causes that only a request of another grant can have."""
    if context.step not in (Step.TOKEN, Step.REFRESH) or context.grant not in (*GRANTS, *grant.OTHER_GRANTS):
        return tuple(rules)
    others = {family for name, families in OF_A_GRANT.items() if name != context.grant for family in families}
    return tuple(rule for rule in rules if rule.id.partition(".")[0] not in others)


def _rules_for(explanation: Explanation, context: Context) -> tuple[Rule, ...]:
    if context.step is Step.PAGE:  # its request is the browser's: the client's has a row of its own
        return ()
    if context.step in (Step.AUTHORIZE, Step.CALLBACK) and explanation.error in AUTHORIZATION:
        return AUTHORIZATION[explanation.error]
    if explanation.number is not None:
        return DOCUMENTED[explanation.number]
    if context.step in BESIDE and explanation.error not in BESIDE[context.step]:
        return ()
    if explanation.kind == "answer":
        if explanation.answer == "unknown_error" and context.step is Step.API:
            return request.HEADERS
        return ANSWERS.get(explanation.answer, ())
    match = MISSING_PARAMETER.search(explanation.error_description)
    if match and (match[1] or "_" in match[2] or match[2] in parameter.KNOWN_NAMES):
        return parameter.missing(match[2])
    if explanation.error == "invalid_request":
        return (*request.HEADERS, access_token.scheme) if context.step is Step.API else (*UNREADABLE, request.method)
    if explanation.error == "invalid_grant":
        return _refused_grant(explanation, context)
    return REGISTERED.get(explanation.error, ())


def _refused_grant(explanation: Explanation, context: Context) -> tuple[Rule, ...]:
    """Return the causes of what the words speak of, or else of the request's grant."""
    refresh = (*refresh_token.REFUSED, revocation.refresh_token)
    match subject_of(explanation.error_description):
        case Subject.REFRESH_TOKEN:
            return refresh
        case Subject.VERIFIER:
            return pkce.RULES
        case Subject.REDIRECT_URI:
            return redirect_uri.RULES
        case Subject.CODE:
            return (*DOCUMENTED[2], *pkce.RULES)
        case Subject.USER | Subject.ASSERTION | Subject.DEVICE_CODE:
            return ()
    if context.grant == Grant.REFRESH_TOKEN or (context.step is Step.REFRESH and not context.grant):
        return refresh
    # Words and request show no grant, or one that nothing is known of: then only a code has causes to look for.
    return (*DOCUMENTED[2], *pkce.RULES)


def rules_before(context: Context) -> tuple[Rule, ...]:
    """Return the causes that can be judged without a response, before the request is sent."""
    return _of_grant(_rules_before(context), context)


def _rules_before(context: Context) -> tuple[Rule, ...]:
    match context.step:
        case Step.AUTHORIZE:
            return (
                authorization.client_id_missing,
                authorization.redirect_uri,
                authorization.response_type,
                client.white_space,
                scope.separators,
                scope.letter_case,
            )
        case Step.API:
            return (
                access_token.left_out,
                access_token.scheme,
                access_token.expired,
                access_token.other_host,
                access_token.replaced,
                *shape.altered(shape.ACCESS_TOKEN),
                *request.HEADERS,
                request.address,
            )
        case Step.TOKEN | Step.REFRESH:
            return (*_token_request(context), *request.PLACE)
        case _:
            return ()


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
