import html
from typing import TYPE_CHECKING, Any

import pytest
from streamlit.testing.v1 import element_tree

from oauth.catalogue import catalogues, documented, reference
from oauth.drills import drills
from oauth.exchange import Exchange, Request, Response, Step
from oauth.history.filters import Filters
from oauth.history.store import HistoryError, Row
from oauth.installation import Installation, now
from pages.parts.errors import drill
from tests.catalogue.test_catalogues import ACME
from tests.catalogue.test_site import HOSTILE, Reader

if TYPE_CHECKING:
    from tests.pages.conftest import Page

PAGE = "errors.py"

FEW = 24
"""Messages of a run without drills, whatever the number of entries; with an expander for each of eleven it sent 795."""


@pytest.fixture
def messages(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of messages that each run sends to the browser."""
    counts: list[int] = []

    def parse(sent: list[Any]) -> Any:
        counts.append(len(sent))
        return original(sent)

    original = element_tree.parse_tree_from_messages
    monkeypatch.setattr("streamlit.testing.v1.local_script_runner.parse_tree_from_messages", parse)
    return counts


def listed(page: "Page") -> dict[str, str]:
    """Return the listed ids with their titles."""
    frames = page.app.dataframe
    return dict(zip(frames[0].value["entry"], frames[0].value["error"], strict=True)) if len(frames) else {}


def shown(page: "Page") -> str:
    """Return the text of the open entry."""
    return html.unescape(body(page))


def body(page: "Page") -> str:
    """Return the HTML of the open entry, empty without one."""
    bodies = [element.proto.body for element in page.app.get("html")]
    return next((text for text in bodies if 'class="reference"' in text), "")


def test_all_eleven_are_listed_in_their_order(page: "Page") -> None:
    page.go(PAGE)
    assert listed(page) == {str(entry.number): entry.title for entry in documented().values()}
    assert "Select an error" in page.text()


def test_each_has_its_cause_its_remedy_and_its_documented_answer(page: "Page") -> None:
    for entry in documented().values():
        page.go(PAGE, entry=entry.entry)
        text = shown(page)
        assert f"{entry.number}. {entry.title}" in text
        assert all(line in text for line in (entry.cause, *entry.remedy))
        assert entry.example.strip() in text
        page.app.query_params.clear()


def test_a_search_finds_words_of_code_text_and_remedy_in_all_catalogues(page: "Page") -> None:
    page.go(PAGE)
    page.type("q", "invalid_grant 2592000")
    assert list(listed(page)) == ["partner/11"]
    assert "Invalid refresh token" in shown(page)
    page.type("q", "700082")
    assert list(listed(page)) == ["entra/AADSTS700082"]
    page.type("q", "zebra crossing")
    assert "No errors match this search" in page.text()


def test_a_pasted_answer_finds_its_entry(page: "Page") -> None:
    page.go(PAGE)
    page.type("q", "AADSTS700082: The refresh token has expired due to inactivity. Trace ID: 7")
    assert list(listed(page)) == ["entra/AADSTS700082"]


def test_each_error_has_its_own_address_and_the_old_ones_of_numbers_work(page: "Page") -> None:
    page.go(PAGE, error="8")
    assert "Insufficient scope" in shown(page)
    page.app.query_params.clear()
    page.go(PAGE, entry="entra/AADSTS700082")
    text = shown(page)
    for fact in ("The refresh token has expired through inactivity", "trace_id and correlation_id", "2026-"):
        assert fact in text
    assert "https://learn.microsoft.com/entra/identity-platform/reference-error-codes" in text
    assert page.app.selectbox(key="errors.catalogue").value == "entra"
    assert len(listed(page)) > 60


def test_an_unknown_address_says_so(page: "Page") -> None:
    page.go(PAGE, entry="entra/<b>nothing</b>")
    assert "No catalogue of this console has the entry" in page.text()
    assert "entra/<b>nothing</b>" in [text.value for text in page.app.text]


def test_the_walkthroughs_provider_comes_first(page: "Page") -> None:
    page.pick("walkthrough.provider", "github")
    page.go(PAGE)
    catalogue = page.app.selectbox(key="errors.catalogue")
    assert (catalogue.value, catalogue.options[0]) == ("github", "GitHub")
    assert "bad_verification_code" in listed(page)
    page.pick("errors.catalogue", "slack")
    assert page.app.query_params["catalogue"] in ("slack", ["slack"])
    assert "token_expired" in listed(page)


def test_another_catalogue_closes_the_search_and_the_entry(page: "Page") -> None:
    page.go(PAGE, q="700082", entry="entra/AADSTS700082")
    page.pick("errors.catalogue", "github")
    assert page.value("q") == ""
    assert shown(page) == ""
    assert "bad_verification_code" in listed(page)


def test_what_is_drawn_does_not_grow_with_the_entries(page: "Page", messages: list[int]) -> None:
    page.go(PAGE)
    page.pick("errors.catalogue", "okta")
    assert len(listed(page)) > 150
    page.go(PAGE, entry=next(iter(reference.articles("okta"))).entry)
    page.type("q", "token")
    assert len(listed(page)) > 300
    assert all(count <= FEW for count in messages[-6:]), messages
    page.app.query_params.clear()
    page.go(PAGE, error="2")
    drills_of_it = len(drill.by_entry()["partner/2"])
    assert messages[-1] <= FEW + 5 * drills_of_it, messages


def test_an_entry_says_how_often_this_history_has_seen_it_and_links_there(page: "Page", console: Installation) -> None:
    page.go(PAGE, entry="github/bad_verification_code")
    assert "Not seen in this history." in page.text()
    moments = [now().replace(year=2024), now().replace(year=2025, microsecond=0)]
    console.history.add(
        [
            Row(
                Exchange(
                    Step.TOKEN,
                    Request("POST", "https://github.com/login/oauth/access_token"),
                    moment,
                    Response(200, body=b'{"error": "bad_verification_code"}'),
                ),
                error="bad_verification_code",
                entry="github/bad_verification_code",
            )
            for moment in moments
        ]
    )
    page.run()
    assert "Seen 2 times in this history, last on 2025-" in page.text()
    links = [item.proto for item in page.app.get("page_link")]
    assert "entry=github%2Fbad_verification_code&origin=%2A" in [link.query_string for link in links]


def test_a_broken_history_leaves_the_reference_readable(
    page: "Page", console: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise HistoryError("The database is locked.")

    monkeypatch.setattr(console.history, "page", fail)
    page.go(PAGE, error="2")
    assert "Authorization code doesn't exist" in shown(page)
    assert "The history could not be read. The database is locked." in page.text()


def test_no_secret_of_a_pasted_answer_gets_into_the_address(page: "Page") -> None:
    secret = "Zk93jdWq02mXr81LpTz7vB5c"
    page.go(PAGE)
    page.type("q", f'{{"error": "invalid_grant", "refresh_token": "{secret}"}}')
    assert secret not in str(page.app.query_params)
    assert secret not in page.value("q")
    assert "invalid_grant" in page.value("q")


def test_your_own_catalogue_is_text_and_an_invalid_one_says_why(page: "Page") -> None:
    folder = catalogues.own_folder()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "acme.toml").write_text(ACME)
    (folder / "broken.toml").write_text('name = "Broken"')
    (folder / "hostile.toml").write_text(HOSTILE)
    page.go(PAGE)
    page.pick("errors.catalogue", "acme")
    assert listed(page) == {"stale": "The token is stale"}
    assert "The acme-request header" in shown(page)
    page.pick("errors.catalogue", "broken")
    assert "broken.toml must contain its errors under [[error]]." in page.text()
    page.app.query_params.clear()
    page.go(PAGE, entry=f"hostile/{next(iter(reference.articles('hostile'))).short_id}")
    tags = Reader(body(page)).tags
    assert "p" in dict(tags)
    assert not {tag for tag, _ in tags} & {"script", "iframe", "img", "b"}
    assert not any(name.startswith("on") for _, them in tags for name in them)
    assert not any("evil" in element.value for element in page.app.markdown)


def test_every_drill_is_drawn_at_an_entry() -> None:
    assert sorted(item.id for items in drill.by_entry().values() for item in items) == sorted(it.id for it in drills())
    assert all(reference.find(entry) for entry in drill.by_entry())
    assert [item.id for item in drill.by_entry()["rfc6749/access_denied"]] == ["access-denied"]
    assert len(drill.by_entry()["answer/error_page"]) == 3


def test_drill_produces_its_error_and_shows_the_response(page: "Page") -> None:
    page.go(PAGE, error="2")
    page.press("drill.2-used.run")
    text = page.text()
    assert "documented error 2; proven: code.used" in text
    assert ":red[Documented error 2] ·" in text
    assert page.app.dataframe[0].value["drills"][1] == "1 passed"


def test_every_drill_passes_against_the_sandbox_and_is_kept_as_a_drill(page: "Page", console: Installation) -> None:
    page.app.default_timeout = 120
    page.go(PAGE)
    page.press("errors.run_all")
    outcomes = page.app.session_state["errors.outcomes"]
    assert {id: outcome.actual for id, outcome in outcomes.items() if not outcome.passed} == {}
    assert len(outcomes) == sum(drill.catalogue == "partner" for drill in drills())
    assert {outcome.drill.number for outcome in outcomes.values()} >= set(range(1, 12))
    assert {row.exchange.case for row in console.history.rows(Filters())} == {"drill"}
    assert f"{len(outcomes)} passed, 0 failed" in page.text()
    # A page that draws every exchange of every drill is busy for many times as long as the drills take.
    assert not [box.label for box in page.app.expander if box.label == "Show exchanges"]


def test_drill_at_a_real_provider_shows_a_preview_and_needs_confirmation(page: "Page", console: Installation) -> None:
    page.go(PAGE, error="6")
    page.pick("errors.provider", "olx")
    assert "POST /api/open/oauth/token HTTP/1.1" in page.text()
    assert page.app.button(key="drill.6-secret.run").disabled
    assert "lock the account" in page.app.checkbox(key="drill.6-secret.sure").label
    assert console.history.count(Filters()) == 0
