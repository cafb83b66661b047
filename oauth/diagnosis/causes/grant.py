"""The grant type of a token request (RFC 6749 §4, §6)."""

from difflib import get_close_matches

from oauth import parameters
from oauth.diagnosis.causes.fixes import put, value_for
from oauth.diagnosis.causes.rule import Finding, Rule, Weight, broken, possible, proven, rule, ruled_out, unknown
from oauth.diagnosis.causes.shape import bare
from oauth.diagnosis.context import GRANTS, Context
from oauth.diagnosis.model import Evidence, Fix, Label, open_fact, right, wrong
from oauth.exchange import Exchange, Step
from oauth.flow import Grant
from oauth.parameters import BODY

WHERE = f"{BODY}, grant_type"
NO_GRANT = "The request shows no grant_type"
NO_CLIENT = "The client id of the request is unknown"
OTHER_GRANTS = frozenset(
    {
        "password",
        "implicit",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "urn:ietf:params:oauth:grant-type:saml2-bearer",
        "urn:ietf:params:oauth:grant-type:token-exchange",
        "urn:ietf:params:oauth:grant-type:uma-ticket",
        "urn:openid:params:grant-type:ciba",
    }
)
"""Grant types of other specifications: the console does not make them, and they are not misspelled."""
UNAUTHORIZED_GRANT = 10
"""Number of the documented error for a grant that the client may not use."""


@rule("grant.misspelt", "The grant type is misspelled", Weight.NAMED)
def misspelt(context: Context) -> Finding:
    """Check for an undocumented grant type that resembles a documented one."""
    sent = context.sent.value("grant_type")
    if not sent:
        return unknown(NO_GRANT, BODY)
    if sent in GRANTS:
        return ruled_out(right(f"grant_type is spelled correctly: {sent}", WHERE))
    shown = context.secrets.swept(sent)
    if near := nearest(sent):
        supports = "the provider supports" if context.is_documented else "it resembles"
        text = f"grant_type is '{shown}'; {supports} {near}"
        # Another provider may have a grant of this name, unless it refuses it.
        return broken(context)(wrong(text, WHERE), fix=put(context, "grant_type", shown, near, f"Send {near}"))
    return ruled_out(open_fact(f"'{shown}' does not resemble any of {', '.join(GRANTS)}", WHERE))


@rule("grant.unsupported", "The provider does not support this grant type", Weight.NAMED)
def unsupported(context: Context) -> Finding:
    """Check for an undocumented grant type, or one that is refused although it is documented."""
    sent = context.sent.value("grant_type")
    if not sent:
        return unknown(NO_GRANT, BODY)
    if sent in GRANTS:
        return possible(
            open_fact(f"{sent} is spelled correctly", WHERE),
            wrong(f"The provider returns {context.outcome(context.exchange)}", "response"),
        )
    if near := nearest(sent):
        return ruled_out(open_fact(f"It is {near}, misspelled", WHERE))
    after, needs = value_for(context, "grant_type")
    usual = f"; usual are {', '.join(GRANTS)}" if not context.is_documented else f"; documented are {', '.join(GRANTS)}"
    return proven(
        wrong(f"grant_type is '{context.secrets.swept(sent)}'{usual}", WHERE),
        fix=put(context, "grant_type", context.secrets.swept(sent), after, f"Send {after}", needs),
    )


@rule(
    "grant.never_worked_for_client",
    "The client may not use this grant: others have worked, this one never has",
    Weight.REPORTED,
)
def others_worked(context: Context) -> Finding:
    """Compare this grant with those that have worked for the client."""
    sent, worked = context.grant, _worked(context)
    if not sent:
        return unknown(NO_GRANT, BODY)
    if not context.client_id:
        return unknown(NO_CLIENT)
    if sent in worked:
        return ruled_out(_success(context, sent, worked[sent]))
    if not worked:
        return ruled_out(open_fact("No grant of this client is known to have worked", "history"))
    facts = [_success(context, grant, row) for grant, row in worked.items()]
    never = wrong(f"{sent} has never worked for it, {context.before.extent(context.client_id)}", "history")
    return proven(never, *facts, fix=_other_way(context, worked))


@rule("grant.taken_away", "The client could use this grant before, but no longer may", Weight.REPORTED)
def taken_away(context: Context) -> Finding:
    """Look for earlier successes of this grant for the client."""
    sent, worked = context.grant, _worked(context)
    if not sent:
        return unknown(NO_GRANT, BODY)
    if sent not in worked:
        return ruled_out(open_fact(f"{sent} is not known to have worked for this client", "history"))
    return proven(
        _success(context, sent, worked[sent]),
        wrong(f"Now the provider returns {context.outcome(context.exchange)}", "response"),
    )


@rule(
    "grant.none_worked",
    "The client may not use this grant, and none of its grants has worked here yet",
    Weight.REPORTED,
)
def none_worked(context: Context) -> Finding:
    """Check that no grant has worked for the client: it may be new, or the history may be."""
    if not context.past.reach:
        return unknown("Earlier grants of this client are unknown: no history was searched")
    if not context.client_id:
        return unknown(NO_CLIENT)
    sent, worked = context.sent.value("grant_type"), _worked(context)
    if worked:
        return ruled_out(_success(context, *next(iter(worked.items()))))
    facts = (
        wrong(f"The provider returns {context.outcome(context.exchange)}", "response"),
        open_fact(f"No grant of this client has worked here, in the newest {context.past.reach:,} rows", "history"),
    )
    # Only documented error 10 says that the client may not use the grant; a misspelled grant is never allowed.
    is_reported = context.explanation is not None and context.explanation.number == UNAUTHORIZED_GRANT
    return (
        proven(right(f"grant_type is spelled correctly: {sent}", WHERE), *facts)
        if is_reported and sent in GRANTS
        else possible(*facts)
    )


SPELLING: tuple[Rule, ...] = (misspelt, unsupported)
"""Rules for an unsupported grant type."""

ALLOWED: tuple[Rule, ...] = (misspelt, others_worked, taken_away, none_worked)
"""Rules for a grant that the client may not use."""


def nearest(sent: str) -> str:
    """Return the grant type that was probably meant, or an empty string."""
    if sent in OTHER_GRANTS:
        return ""
    plain = bare(sent).lower().replace("-", "_").replace(" ", "_")
    return next(iter(get_close_matches(plain, GRANTS, 1, 0.75)), "")


def _worked(context: Context) -> dict[str, Exchange]:
    """Return the grants that worked for this client here, each with its newest row."""
    rows = {parameters.grant_of(row): row for row in context.successes_here}
    rows.pop("", None)
    return rows


def _success(context: Context, grant: str, row: Exchange) -> Evidence:
    return right(f"{grant} worked for this client: {context.row_text(row)}", "history", row.id)


def _other_way(context: Context, worked: dict[str, Exchange]) -> Fix | None:
    if Grant.AUTHORIZATION_CODE in worked:
        return Fix(Label.START_AGAIN, "Get a token with the user's approval instead", Step.AUTHORIZE)
    if Grant.CLIENT_CREDENTIALS in worked and context.step is Step.TOKEN:
        before = context.sent.value("grant_type")
        return put(context, "grant_type", before, Grant.CLIENT_CREDENTIALS.value, "Get an application token instead")
    return None
