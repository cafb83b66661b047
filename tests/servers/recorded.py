"""Score the diagnosis on what servers of other projects answered, of which it is known what is true.

``python -m tests.servers.recorded`` prints the numbers; ``--wrong`` lists what is wrong, and NAME reads one server.
"""

import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

from oauth import paste
from oauth.diagnosis import Verdict
from oauth.diagnosis.pasted import Finding, Paste
from oauth.redaction import Vault

RECORDED = Path(__file__).parent / "recorded"
SUCCESS = "success"
CARRIES = "carries:"
"""Before a fault's name: the redirect that takes the error to the callback, which is scored itself."""

CAUSES: Mapping[str, tuple[str, ...]] = {
    "wrong_secret": ("client.secret_differs",),
    "unknown_client": ("client.id_differs", "authorization.client_unknown", "client.other_provider"),
    "no_client_authentication": ("client.credentials_missing", "client_secret.left_out", "client_id.left_out"),
    "wrong_authentication_method": ("client.other_method",),
    "two_authentications": ("client.both",),
    "client_id_not_in_body": ("client.id_beside_basic", "client_id.left_out"),
    "secret_form_encoded": ("client.basic_encoding",),
    "code_left_out": ("code.left_out", "code.empty"),
    "code_unknown": ("code.another", "code.mistaken"),
    "code_used_twice": ("code.used",),
    "token_of_replayed_code": ("access_token.code_replayed",),
    "refresh_token_of_replayed_code": ("refresh_token.code_replayed",),
    "code_of_another_client": ("code.other_client",),
    "redirect_uri_left_out": ("redirect_uri.left_out",),
    "redirect_uri_other": ("redirect_uri.differs",),
    "redirect_uri_unregistered": ("authorization.redirect_uri",),
    "redirect_uri_not_asked": (
        "redirect_uri.left_out",
        "authorization.redirect_uri_missing",
        "authorization.redirect_uri",
    ),
    "verifier_left_out": ("pkce.verifier_missing", "code_verifier.left_out"),
    "verifier_wrong": ("pkce.verifier_differs",),
    "verifier_too_short": ("pkce.verifier_differs", "pkce.verifier_malformed"),
    "challenge_method_unknown": ("pkce.method_unknown",),
    "challenge_left_out": ("code_challenge.left_out", "pkce.challenge_missing", "code_verifier.left_out"),
    "verifier_without_challenge": ("pkce.not_asked",),
    "grant_type_left_out": ("grant_type.left_out", "grant_type.empty"),
    "grant_type_misspelt": ("grant.misspelt",),
    "grant_type_unknown": ("grant.unsupported", "grant.misspelt"),
    "grant_type_not_allowed": ("grant.never_worked_for_client", "grant.none_worked", "grant.unsupported"),
    "scope_unknown": ("scope.not_registered", "scope.never_granted"),
    "scope_not_registered": ("scope.not_registered", "scope.never_granted"),
    "scope_beyond_grant": ("scope.beyond_consent",),
    "scope_of_token": ("token.lacks_scope", "token.asked_too_little", "token.granted_less"),
    "userinfo_without_openid": ("token.lacks_scope", "token.asked_too_little", "token.granted_less"),
    "refresh_token_left_out": ("refresh_token.left_out", "refresh_token.empty"),
    "refresh_token_unknown": ("refresh_token.another", "refresh_token.mistaken"),
    "access_token_as_refresh_token": ("refresh_token.mistaken", "refresh_token.another"),
    "refresh_token_used_twice": ("refresh_token.replaced",),
    "refresh_token_revoked": ("refresh_token.revoked",),
    "refresh_token_of_another_client": ("refresh_token.other_client",),
    "access_token_left_out": ("access_token.left_out",),
    "access_token_unknown": ("access_token.another",),
    "access_token_cut": ("access_token.cut", "access_token.another"),
    "access_token_scheme": ("access_token.scheme",),
    "access_token_in_query": ("access_token.in_query", "access_token.left_out"),
    "access_token_expired": ("access_token.expired",),
    "access_token_revoked": ("access_token.revoked",),
    "refresh_token_as_access_token": ("access_token.mistaken",),
    "id_token_as_access_token": ("access_token.mistaken",),
    "response_type_left_out": ("authorization.response_type", "response_type.left_out"),
    "response_type_unknown": ("authorization.response_type",),
    "client_id_left_out": ("authorization.client_id_missing", "client_id.left_out"),
    "state_left_out": ("state.left_out",),
    "nonce_left_out": ("nonce.left_out",),
    "access_denied": ("authorization.denied",),
    "login_required": ("authorization.login_required",),
    "consent_required": ("authorization.consent_required",),
    "body_as_json": ("body.unreadable",),
    "body_as_query": ("grant_type.in_query", "code.in_query", "client_id.in_query", "body.unreadable"),
    "get_instead_of_post": ("request.method",),
    "not_acceptable": ("header.accept_missing",),
    "content_type_wrong": ("body.unreadable",),
    "token_left_out": ("token.left_out",),
    "token_unknown": ("token.another",),
    "token_of_another_client": ("token.other_client",),
    "token_type_unknown": ("token_type_hint.unknown",),
    "device_code_left_out": ("device_code.left_out",),
    "device_code_unknown": ("device_code.another",),
}
"""Causes that are right for a fault. Any of them may be proven; one of them has to come first."""

UNSCORED = (
    "no_document",  # discovery tries one place after the other
    "authorization_pending", "slow_down",  # the answer says all there is
    "openid_left_out",  # an OAuth server is right to take it, and others say so themselves
    "server_error",  # the server fails at a request without a fault
    "registration_redirect_uris_left_out", "registration_redirect_uri_invalid", "registration_method_unknown",
    "registration_grant_unknown", "registration_scope_unknown", "registration_body_not_json",
    "registration_token_unknown",
)  # fmt: skip
"""Failures whose cause is not looked for. Nothing may be proven for them."""


@dataclass(frozen=True)
class Truth:
    """What is true of an exchange, counted from 1, and a remark where the server accepted a fault."""

    number: int
    request: str
    status: int
    truth: str
    note: str = ""

    @property
    def fault(self) -> str:
        """Name of the fault; empty for a success."""
        return "" if self.truth == SUCCESS else self.truth.removeprefix(CARRIES)

    @property
    def is_scored(self) -> bool:
        """Whether a cause is looked for."""
        return self.truth in CAUSES


@dataclass(frozen=True)
class Reading:
    """What the diagnosis said about an exchange, beside what is true."""

    name: str
    truth: Truth
    finding: Finding

    @property
    def causes(self) -> tuple[tuple[str, Verdict], ...]:
        """Causes that are not ruled out, in their order, with their verdict."""
        causes = self.finding.diagnosis.causes if self.finding.diagnosis else ()
        return tuple((cause.id, cause.verdict) for cause in causes if cause.verdict is not Verdict.RULED_OUT)

    @property
    def is_false_alarm(self) -> bool:
        """Whether a success was explained as a failure."""
        return self.truth.truth == SUCCESS and self.finding.explanation is not None

    @property
    def false_proofs(self) -> tuple[str, ...]:
        """Causes that are proven and not right."""
        right = CAUSES.get(self.truth.fault, ())
        return tuple(id for id, verdict in self.causes if verdict is Verdict.PROVEN and id not in right)

    @property
    def place(self) -> int:
        """Place of the first right cause, from 1; 0 where there is none."""
        right = CAUSES.get(self.truth.fault, ())
        return next((place for place, (id, _) in enumerate(self.causes, 1) if id in right), 0)

    @property
    def is_wrong(self) -> bool:
        """Whether anything about it is wrong."""
        return self.is_false_alarm or bool(self.false_proofs) or (self.truth.is_scored and self.place != 1)


def names() -> list[str]:
    """Return the names of the recorded servers."""
    return sorted(path.stem for path in RECORDED.glob("*.har"))


@cache
def truths(name: str) -> tuple[Truth, ...]:
    """Return what is true of each exchange of a recording, in its order."""
    rows = tomllib.loads((RECORDED / f"{name}.toml").read_text())["exchange"]
    return tuple(Truth(**row) for row in rows)


@cache
def readings(name: str) -> tuple[Reading, ...]:
    """Read a recording as a pasted HAR, and diagnose each exchange from those before it."""
    items = paste.read((RECORDED / f"{name}.har").read_text())
    last = max(item.started_at for item in items if item.started_at)
    findings = Paste(items, Vault(bytes(32)), last + timedelta(minutes=1)).findings()
    return tuple(Reading(name, truth, finding) for truth, finding in zip(truths(name), findings, strict=True))


@dataclass(frozen=True)
class Score:
    """Numbers of one or more recordings."""

    successes: int
    failures: int
    false_alarms: int
    false_proofs: int
    first: int
    somewhere: int

    @property
    def share(self) -> float:
        """Share of the failures with a right cause first."""
        return self.first / self.failures if self.failures else 1.0


def score(read: tuple[Reading, ...]) -> Score:
    """Count what is right and wrong."""
    scored = [reading for reading in read if reading.truth.is_scored]
    return Score(
        successes=sum(reading.truth.truth == SUCCESS for reading in read),
        failures=len(scored),
        false_alarms=sum(reading.is_false_alarm for reading in read),
        false_proofs=sum(bool(reading.false_proofs) for reading in read),
        first=sum(reading.place == 1 for reading in scored),
        somewhere=sum(reading.place > 1 for reading in scored),
    )


def _lines(read: tuple[Reading, ...]) -> Iterator[str]:
    for reading in read:
        if not reading.is_wrong:
            continue
        truth, explanation = reading.truth, reading.finding.explanation
        kinds = [
            *(["FALSE ALARM"] if reading.is_false_alarm else []),
            *([f"FALSE PROOF {', '.join(reading.false_proofs)}"] if reading.false_proofs else []),
            *([f"right at {reading.place}" if reading.place else "no cause"] if truth.is_scored else []),
        ]
        said = (
            f"{explanation.error or explanation.title}: {explanation.error_description}" if explanation else "success"
        )
        causes = ", ".join(f"{id} {verdict}" for id, verdict in reading.causes) or "none"
        yield f"{reading.name} {truth.number} {truth.request} {truth.status} {truth.truth}: {'; '.join(kinds)}"
        yield f"    read as {said[:150]!r}; causes: {causes}"


def main() -> None:
    """Print the numbers of the recordings that are named, or of all."""
    chosen = [name for name in sys.argv[1:] if not name.startswith("-")] or names()
    for name in [*chosen, *(["all"] if len(chosen) > 1 else [])]:
        read = tuple(reading for one in (chosen if name == "all" else [name]) for reading in readings(one))
        if "--wrong" in sys.argv and name != "all":
            print(*_lines(read), sep="\n")
        result = score(read)
        none = result.failures - result.first - result.somewhere
        print(
            f"{name:20} successes {result.successes:4}  false alarms {result.false_alarms:3}  "
            f"failures {result.failures:4}  first {result.first:4} ({result.share:.0%})  "
            f"elsewhere {result.somewhere:3}  none {none:3}  false proofs {result.false_proofs:3}"
        )


if __name__ == "__main__":
    main()
