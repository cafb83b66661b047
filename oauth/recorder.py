"""Record exchanges in the history, redacted: written before they are sent, completed after.

A history that fails never stops an exchange: ``Recorder.problem`` says what was not stored.
"""

from dataclasses import dataclass, field, replace

from oauth.catalogue.explain import Explanation, explain
from oauth.diagnosis.model import Diagnosis
from oauth.egress import Policy
from oauth.exchange import Exchange, Response, unexpected
from oauth.history.recognition import recognition
from oauth.history.store import History, HistoryError
from oauth.measures import MEASURES
from oauth.redaction import Vault


@dataclass(frozen=True, slots=True)
class Record:
    """An exchange with its real values, the same redacted as its row has it, and why it failed.

    ``explanation`` is ``None`` for a success, and until the exchange is complete.
    """

    live: Exchange = field(repr=False)
    redacted: Exchange
    explanation: Explanation | None = None


@dataclass
class Recorder:
    """Store exchanges in the history, redacted with the secrets of one session.

    ``policy`` is the installation's: it limits where ``oauth.client.send`` may connect.
    """

    history: History
    vault: Vault
    policy: Policy = field(default_factory=Policy)
    problem: str = ""

    def begin(self, exchange: Exchange) -> Record:
        """Write the row before anything is sent. Both exchanges get the row's number, if it could be written."""
        redacted = self.vault.redact(exchange)
        try:
            with MEASURES.record("request"):
                id = self.history.begin(redacted)
        except HistoryError as error:
            self.problem = str(error)
            return Record(exchange, redacted)
        self.problem = ""
        return Record(replace(exchange, id=id), replace(redacted, id=id))

    def complete(self, begun: Record, exchange: Exchange) -> Record:
        """Write the outcome into the row that ``begin`` made: ``exchange`` is ``begun.live`` with what came back."""
        redacted, explanation = self._explained(begun, exchange)
        record = Record(exchange, redacted, explanation)
        recognised = recognition(explanation)
        MEASURES.count_exchange(redacted.step, redacted.outcome, recognised.entry)
        if exchange.id is None:
            return record
        try:
            with MEASURES.record("response"):
                self.history.complete(exchange.id, redacted, **recognised._asdict(), begun=begun.redacted)
        except HistoryError as error:
            self.problem = str(error)
        return record

    def diagnosed(self, record: Record, diagnosis: Diagnosis | None) -> None:
        """Write the proven cause, if there is one, into the row of a finished exchange."""
        id = record.redacted.id
        if id is None or diagnosis is None or not diagnosis.proven:
            return
        try:
            self.history.set_cause(id, diagnosis.proven)
        except HistoryError as error:
            self.problem = str(error)

    def _explained(self, begun: Record, exchange: Exchange) -> tuple[Exchange, Explanation | None]:
        """Redact and explain a finished exchange. What an error of ours makes unsafe to store is left out."""
        redacted = begun.redacted
        try:
            if exchange is not begun.live:
                redacted = self.vault.redact(exchange)
            return redacted, explain(redacted)
        except Exception as error:  # noqa: BLE001 (the row gets an end, whatever the response caused)
            failure = unexpected(error)
            if redacted is begun.redacted and exchange.response is not None:
                bare = Response(exchange.response.status, cut=True)
                redacted = replace(begun.redacted, response=bare, duration_ms=exchange.duration_ms)
            redacted = replace(redacted, failure=redacted.failure or failure)
            return redacted, explain(replace(redacted, response=None))


def examine(exchange: Exchange, vault: Vault) -> Record:
    """Redact and explain a finished exchange that is recorded elsewhere, or not at all."""
    redacted = vault.redact(exchange)
    return Record(exchange, redacted, explain(redacted))
