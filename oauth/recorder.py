"""Record exchanges in the history, redacted: written before they are sent, completed after.

A history that cannot keep an exchange never stops it: ``Recorder.problem`` then says what was not kept.
"""

from dataclasses import dataclass, field, replace

from oauth.catalogue.explain import explain
from oauth.egress import Policy
from oauth.exchange import Exchange
from oauth.history.store import History, HistoryError
from oauth.redaction import Vault

MOST_BEGUN = 100
"""Exchanges without an answer of which a recorder knows what it wrote. Of others all is written anew."""


@dataclass
class Recorder:
    """Keeps exchanges in the history, redacted with the secrets of one session.

    ``policy`` is the installation's: what ``send`` may do with the exchanges it is to record.
    """

    history: History
    vault: Vault
    policy: Policy = field(default_factory=Policy)
    problem: str = ""
    _begun: dict[int, Exchange] = field(default_factory=dict, init=False, repr=False)

    def begin(self, exchange: Exchange) -> Exchange:
        """Write the row before anything is sent; the exchange comes back with its row number, if it could be kept."""
        redacted = self.vault.redact(exchange)
        try:
            id = self.history.begin(redacted)
        except HistoryError as error:
            self.problem = str(error)
            return exchange
        self.problem = ""
        if len(self._begun) >= MOST_BEGUN:
            self._begun.clear()
        self._begun[id] = redacted
        return replace(exchange, id=id)

    def complete(self, exchange: Exchange) -> None:
        """Write what came back into the row that ``begin`` made."""
        if exchange.id is None:
            return
        redacted = self.vault.redact(exchange)
        found = explain(redacted)
        try:
            self.history.complete(
                exchange.id,
                redacted,
                documented_error=found.number if found else None,
                error=found.error if found else "",
                error_description=found.error_description if found else "",
                entry=found.entry if found else "",
                begun=self._begun.pop(exchange.id, None),
            )
        except HistoryError as error:
            self.problem = str(error)
