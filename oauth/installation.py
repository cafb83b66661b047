"""The installation that this process serves: its settings, history and clock, shared by the routes and every page."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import make_url

from oauth import own_files, settings
from oauth.access.audit import Audit
from oauth.history.database import with_password
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
        return Vault(self.key())

    def key(self) -> bytes:
        """Return the installation's key for fingerprints."""
        return self.settings.derived_key("fingerprint")

    def address(self) -> str:
        """Return the address of the history, with its password, for another process."""
        return with_password(make_url(self.settings.database_url)).render_as_string(hide_password=False)

    def audit(self) -> Audit:
        """Return the audit, which is on when there is a sign-in."""
        return Audit(self.history, self.vault(), self.settings.sign_in != "off", self.settings.audit_days)

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
    history = History(loaded.database_url, now, loaded.key_proof)
    own_files.share(loaded.home, _shared(history, loaded.home) if history.database.is_shared else None)
    return Installation(loaded, history)


def _shared(history: History, home: Path) -> own_files.Shared:
    from oauth.history.shared_files import SharedFiles  # imported late: it loads the catalogue

    return SharedFiles(history.database, home)
