"""The way a token is asked for: ``grant_type`` (RFC 6749 §4, §6)."""

from difflib import get_close_matches

from oauth import parameters
from oauth.diagnosis.causes.fixes import put, value_for
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
from oauth.diagnosis.causes.shape import bare
from oauth.diagnosis.context import GRANTS, Subject
from oauth.diagnosis.model import Fix, Label
from oauth.exchange import Exchange, Step
from oauth.flow import Grant
from oauth.parameters import BODY

WHERE = f"{BODY}, grant_type"
UNAUTHORIZED_GRANT = 10
"""The documented error that says so."""


@rule("grant.misspelt", "The grant type is misspelt")
def misspelt(subject: Subject) -> Finding:
    """Not one of those that the provider documents, and near to one."""
    sent = subject.sent.value("grant_type")
    if not sent:
        return unknown("No grant_type was sent", BODY)
    if sent in GRANTS:
        return ruled_out(right(f"grant_type is spelt right: {sent}", WHERE))
    shown = subject.secrets.swept(sent)
    if near := _near(sent):
        text = f"grant_type is '{shown}'; the provider knows {near}"
        return proven(wrong(text, WHERE), fix=put(subject, "grant_type", shown, near, f"Send {near}"))
    return ruled_out(open_fact(f"'{shown}' is not near to any of {', '.join(GRANTS)}", WHERE))


@rule("grant.unsupported", "The provider does not offer this grant type")
def unsupported(subject: Subject) -> Finding:
    """Another grant than those that this console knows, or one that is known and refused all the same."""
    sent = subject.sent.value("grant_type")
    if not sent:
        return unknown("No grant_type was sent", BODY)
    if sent in GRANTS:
        return possible(
            open_fact(f"{sent} is spelt right", WHERE),
            wrong(f"The provider answers {subject.outcome(subject.exchange)}", "response"),
        )
    if near := _near(sent):
        return ruled_out(open_fact(f"It is {near}, misspelt", WHERE))
    after, needs = value_for(subject, "grant_type")
    text = f"grant_type is '{subject.secrets.swept(sent)}'; documented are {', '.join(GRANTS)}"
    return proven(
        wrong(text, WHERE), fix=put(subject, "grant_type", subject.secrets.swept(sent), after, f"Send {after}", needs)
    )


@rule("grant.never_worked_for_client", "The client may not use this grant: others worked, this one never")
def others_worked(subject: Subject) -> Finding:
    """By the client's own history."""
    sent, worked = subject.grant, _worked(subject)
    if not sent:
        return unknown("No grant_type was sent", BODY)
    if sent in worked:
        return ruled_out(
            right(f"{sent} worked for this client: {subject.row_text(worked[sent])}", "history", worked[sent].id)
        )
    if not worked:
        return ruled_out(open_fact("No grant of this client is known to have worked", "history"))
    facts = [
        right(f"{grant} worked for this client: {subject.row_text(row)}", "history", row.id)
        for grant, row in worked.items()
    ]
    never = wrong(f"{sent} never worked for it, {subject.as_far_as_looked}", "history")
    return proven(never, *facts, fix=_other_way(subject, worked))


@rule("grant.taken_away", "The client could use this grant before, and may not any more")
def taken_away(subject: Subject) -> Finding:
    """It worked, and now the provider refuses."""
    sent, worked = subject.grant, _worked(subject)
    if not sent:
        return unknown("No grant_type was sent", BODY)
    if sent not in worked:
        return ruled_out(open_fact(f"{sent} is not known to have worked for this client", "history"))
    row = worked[sent]
    return proven(
        right(f"{sent} worked for this client: {subject.row_text(row)}", "history", row.id),
        wrong(f"Now the provider answers {subject.outcome(subject.exchange)}", "response"),
    )


@rule("grant.none_worked", "The client may not use this grant, and no grant of it worked here yet")
def none_worked(subject: Subject) -> Finding:
    """The provider says the one, this history the other: a new client, or a new history."""
    if not subject.past.reach:
        return unknown("Whether any grant of this client worked before is not known: no history was looked at")
    sent, worked = subject.sent.value("grant_type"), _worked(subject)
    if worked:
        grant, row = next(iter(worked.items()))
        return ruled_out(right(f"{grant} worked for this client: {subject.row_text(row)}", "history", row.id))
    facts = (
        wrong(f"The provider answers {subject.outcome(subject.exchange)}", "response"),
        open_fact(f"No grant of this client worked here, in the newest {subject.past.reach:,} rows", "history"),
    )
    # Only documented error 10 says that it is this client that may not; a misspelt grant is no grant of anybody.
    told = subject.explanation is not None and subject.explanation.number == UNAUTHORIZED_GRANT
    return (
        proven(right(f"grant_type is spelt right: {sent}", WHERE), *facts)
        if told and sent in GRANTS
        else possible(*facts)
    )


SPELLING: tuple[Rule, ...] = (misspelt, unsupported)
"""The rules for a grant type that the provider does not know."""

ALLOWED: tuple[Rule, ...] = (misspelt, others_worked, taken_away, none_worked)
"""The rules for a grant that the client may not use."""


def _near(sent: str) -> str:
    """The grant type that was probably meant, or an empty text."""
    plain = bare(sent).lower().replace("-", "_").replace(" ", "_")
    return next(iter(get_close_matches(plain, GRANTS, 1, 0.75)), "")


def _worked(subject: Subject) -> dict[str, Exchange]:
    """Every grant that worked for this client here, with the newest row."""
    found = {parameters.grant_of(row): row for row in subject.successes_here}
    found.pop("", None)
    return found


def _other_way(subject: Subject, worked: dict[str, Exchange]) -> Fix | None:
    if Grant.AUTHORIZATION_CODE in worked:
        return Fix(Label.START_AGAIN, "Get a token with the user's approval instead", Step.AUTHORIZE)
    if Grant.CLIENT_CREDENTIALS in worked and subject.step is Step.TOKEN:
        before = subject.sent.value("grant_type")
        return put(subject, "grant_type", before, Grant.CLIENT_CREDENTIALS.value, "Get an application's token instead")
    return None
