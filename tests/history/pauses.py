from oauth.history.database import Database
from oauth.history.deadlines import Pauses


def end(database: Database) -> None:
    """Try again at once after a wait in vain."""
    database._pauses = Pauses()
