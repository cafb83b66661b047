"""The open entry of the Errors page: what the catalogue knows of it, how often it was seen, and its drills."""

from html import escape

import streamlit as st

from oauth.catalogue import site
from oauth.catalogue.catalogues import PARTNER
from oauth.catalogue.reference import Article
from oauth.history import time_limits
from oauth.history.deletion import last_id
from oauth.history.filters import Filters
from oauth.history.store import HistoryError
from oauth.history.terms import ANY, OriginTerm
from pages.parts.common import clock, session
from pages.parts.errors import drill
from pages.parts.history import cache

SECONDS = 0.5
"""Time limit for counting; beyond it, a lower bound is shown."""

STYLE = """<style>
.reference { font-size: 1rem; overflow-wrap: anywhere; }
.reference.reference :is(h2, h3, p, ul, li, dl, dd) { font-size: 1rem; margin: 0; padding: 0; }
.reference.reference h2 { font-size: 1.3rem; }
.reference.reference h3 { margin-top: .75rem; }
.reference.reference ul { padding-left: 1.25rem; }
.reference.reference :is(code, .words, pre) { font-family: monospace; font-size: .9rem; }
.reference.reference pre {
  margin: .25rem 0 0; padding: .75rem; border-radius: 6px; background: rgba(128, 128, 128, .1);
  white-space: pre-wrap; overflow-wrap: anywhere;
}
.reference.reference .words { margin-top: .5rem; }
.reference :is(.facts, dt) { opacity: .75; }
.reference a { color: inherit; }
.reference.reference dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; margin-top: .75rem; }
@media (max-width: 640px) {
  .reference.reference dl { grid-template-columns: 1fr; }
  .st-key-errors-list,
  .st-key-errors-list :is([data-testid="stFullScreenFrame"], .stDataFrame, [data-testid="stDataFrameResizable"]) {
    height: 240px !important; max-height: 240px !important; flex-basis: 240px !important;
  }
}
</style>"""


def draw(article: Article, setting: drill.Setting | None) -> None:
    """Draw an entry. ``setting`` is that of its drills, ``None`` where it has none."""
    with st.container(key="errors.entry", gap="small"):
        numbered = f"{article.number}. " if article.section == PARTNER else ""
        # One element, also for the documented response: the browser takes longer to load st.code than all of the page.
        title = f"<h2>{escape(numbered + article.title)}</h2>"
        st.html(f'{STYLE}<div class="reference">{title}{site.article_html(article)}</div>')
        _seen(article.entry)
        if setting is not None:
            st.markdown("**Drills: produce this error on purpose**")
            drill.draw(drill.by_entry()[article.entry], setting)


def _seen(entry: str) -> None:
    """Draw how often the entry was seen in this history and when last, with the way there."""
    history = session.history()
    filters = Filters(entry=entry)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        try:
            number = cache.cached(
                "seen", (entry, last_id(history)), lambda: time_limits.count(history, filters, SECONDS)
            )
            newest = history.page(filters, None, 1, with_content=False)
        except HistoryError as error:
            st.text(f"The history could not be read. {error}")
            return
        if not newest:
            st.text("Not seen in this history.")
            return
        times = "once" if str(number) == "1" else f"{number} times"
        st.text(f"Seen {times} in this history, last on {clock.on(newest[0].exchange.started_at)}.")
        everything = filters.put(OriginTerm.name, ANY).to_query()  # drills and imports are counted too
        st.page_link("history.py", label="Show in history", icon=":material/history:", query_params=everything)
