"""The installation that this process serves: its settings, history and clock, shared by the routes and every page."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from oauth import settings
from oauth.history.store import History
from oauth.redaction import Vault
from oauth.settings import Settings

if TYPE_CHECKING:
    from oauth.recorder import Recorder


@dataclass(frozen=True, slots=True)
class Installation:
    """Settings and history of this console."""

    settings: Settings
    history: History

    def vault(self) -> Vault:
        """Return an empty vault with the installation's key for fingerprints."""
        return Vault(self.settings.derived_key("fingerprint"))

    def recorder(self) -> "Recorder":
        """Return a recorder for this history, with a vault of its own."""
        from oauth.recorder import Recorder  # imported late: an export does without the catalogue

        return Recorder(self.history, self.vault(), self.settings.policy)


def now() -> datetime:
    """Return the current time, aware and in UTC."""
    return datetime.now(UTC)


@cache
def current() -> Installation:
    """Return this process's installation, opened on first use.

    Raises ``settings.SettingError`` when a setting is invalid.
    """
    loaded = settings.load()
    return Installation(loaded, History(loaded.database_url, now))
