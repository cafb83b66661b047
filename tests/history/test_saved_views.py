import pytest

from oauth.history.filters import Filters
from oauth.history.saved_views import ViewError, Views
from oauth.history.store import History

TICKETS = Filters.parse('case:T-1,"T 2" -host:localhost since:7d')


def test_a_view_is_saved_opened_renamed_and_deleted(history: History) -> None:
    views = Views(history, "ada")
    assert views.all() == {}
    assert views.save("  My   tickets ", TICKETS) == "My tickets"
    assert Filters.parse(views.all()["My tickets"]) == TICKETS
    views.save("My tickets", Filters(step="api"))
    assert views.all() == {"My tickets": "step:api"}
    views.rename("My tickets", "Calls")
    assert views.all() == {"Calls": "step:api"}
    views.rename("Calls", "Calls")
    views.delete("Calls")
    assert views.all() == {}


def test_everybody_has_views_of_their_own(history: History) -> None:
    ada, bob = Views(history, "ada"), Views(history, "bob")
    ada.save("Mine", Filters(step="api"))
    bob.save("Mine", Filters(step="token"))
    bob.delete("Mine")
    assert ada.all() == {"Mine": "step:api"}
    assert bob.all() == {}


@pytest.mark.parametrize("name", ["", "  ", "n" * 61, "a\x07b"])
def test_a_name_that_cannot_be_used_is_refused(history: History, name: str) -> None:
    with pytest.raises(ViewError, match="1 to 60 printable characters"):
        Views(history, "ada").save(name, Filters())


def test_renaming_never_overwrites_another_view(history: History) -> None:
    views = Views(history, "ada")
    views.save("One", Filters(step="api"))
    views.save("Two", Filters(step="token"))
    with pytest.raises(ViewError, match="The view Two already exists"):
        views.rename("One", "Two")
    assert views.all() == {"One": "step:api", "Two": "step:token"}


def test_a_view_keeps_the_layout_of_its_exports(history: History) -> None:
    views = Views(history, "ada")
    views.save("Mine", Filters(), "columns=id,note&zone=Europe/Warsaw")
    assert views.layout("Mine") == "columns=id,note&zone=Europe/Warsaw"
    views.rename("Mine", "Other")
    assert views.layout("Other") == "columns=id,note&zone=Europe/Warsaw"
    views.save("Other", Filters())
    assert views.layout("Other") == ""
