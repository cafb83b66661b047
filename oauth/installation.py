"""The one installation that this process serves: its settings, its history, its clock.

The routes and every page share it. Nothing in it belongs to one person.
"""

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
        """An empty vault, whose fingerprints are the installation's."""
        return Vault(self.settings.derived_key("fingerprint"))

    def recorder(self) -> "Recorder":
        """A recorder into this history, with a vault of its own."""
        from oauth.recorder import Recorder  # loads what sends requests: an export needs none of it

        return Recorder(self.history, self.vault(), self.settings.policy)


def now() -> datetime:
    """The console's clock: aware, UTC."""
    return datetime.now(UTC)


@cache
def current() -> Installation:
    """This process's installation, opened when it is first asked for.

    Raises ``settings.SettingError`` when a setting cannot be used.
    """
    loaded = settings.load()
    return Installation(loaded, History(loaded.database_url, now))
