"""Filters saved under a name."""

from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update

from oauth.history.filters import Filters
from oauth.history.schema import views
from oauth.history.store import History

LONGEST_NAME = 60


class ViewError(ValueError):
    """A view's name is invalid or taken; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Views:
    """The saved views of one person. Every method raises ``HistoryError``."""

    history: History
    owner: str

    def all(self) -> dict[str, str]:
        """Return the filter line of every view, by name."""
        query = select(views.c.name, views.c.query).where(views.c.owner == self.owner).order_by(views.c.name)
        with self.history.database.reading() as connection:
            return {row.name: row.query for row in connection.execute(query)}

    def layout(self, name: str) -> str:
        """Return the layout of the exports of a view (``exports.layout.Layout``), empty for the default one."""
        query = select(views.c.layout).where(views.c.owner == self.owner, views.c.name == name)
        with self.history.database.reading() as connection:
            return connection.execute(query).scalar_one_or_none() or ""

    def save(self, name: str, filters: Filters, layout: str = "") -> str:
        """Save filters under a name, replacing an earlier view; return the normalized name. Raises ``ViewError``."""
        name = _checked(name)
        with self.history.database.writing() as connection:
            connection.execute(delete(views).where(views.c.owner == self.owner, views.c.name == name))
            connection.execute(insert(views).values(owner=self.owner, name=name, query=filters.line, layout=layout))
        return name

    def rename(self, name: str, other: str) -> None:
        """Rename a view. Raises ``ViewError``, also when the new name is taken."""
        other = _checked(other)
        if other == name:
            return
        if other in self.all():
            raise ViewError(f"The view {other} already exists. Choose another name, or delete that view first.")
        with self.history.database.writing() as connection:
            connection.execute(
                update(views).where(views.c.owner == self.owner, views.c.name == name).values(name=other)
            )

    def delete(self, name: str) -> None:
        """Delete a view; its exchanges stay."""
        with self.history.database.writing() as connection:
            connection.execute(delete(views).where(views.c.owner == self.owner, views.c.name == name))


def _checked(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise ViewError(f"A view name must have 1 to {LONGEST_NAME} printable characters.")
    return name
