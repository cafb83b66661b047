"""Run the chosen page; names, order and icons of all pages, and what frames them."""

from pathlib import Path

import streamlit as st

from oauth.installation import current
from oauth.page_turns import PAGES as TURNS
from oauth.version import version
from pages.parts.common import garbage, permissions, shell, widget_defaults

PARTS = Path(__file__).parent / "parts"
HOME = "walkthrough"


def _page(name: str, icon: str, help_text: str, path: str = "") -> st.Page:
    # A hidden page keeps its address, which says who may open it.
    return st.Page(
        f"{name}.py",
        title=name.capitalize(),
        icon=f":material/{icon}:",
        url_path=path or name,
        default=name == HOME,
        help=help_text,
        visibility="visible" if permissions.may(permissions.PAGES[name]) else "hidden",
    )


PAGES = {
    "walkthrough": _page(
        "walkthrough", "footprint", "Get a token, one step at a time, and see every request and response."
    ),
    "diagnose": _page(
        "diagnose",
        "troubleshoot",
        "Paste what a customer sent, to see which error it is, why it happened and what to do.",
    ),
    "history": _page("history", "history", "Every exchange of every session: filter, open, download as CSV."),
    "errors": _page("errors", "error", "The documented errors of any provider, each with its cause and remedy."),
    "sandbox": _page(
        "sandbox", "science", "The embedded provider: its clients, codes, tokens and clock.", "sandbox-state"
    ),
    "providers": _page("providers", "hub", "Built-in profiles and your own: addresses, requests, connection."),
}
if current().settings.sign_in != "off":
    PAGES["access"] = _page("access", "admin_panel_settings", "Tokens of programs, and the audit: who did what.")

# Before the navigation: for a page's own icon the browser would ask another host.
st.set_page_config(
    page_title=shell.NAME,
    page_icon=str(PARTS / "icon.svg"),
    layout="wide",
    # With an item of our own, Streamlit's menu also has the choice between light, dark and the system's theme.
    menu_items={"About": f"{shell.NAME} {version()}"},
)
with TURNS.turn():
    page = st.navigation([*PAGES.values()], position="top")
    name = next(name for name, item in PAGES.items() if item is page)
    visible = [item for item in PAGES.values() if item.visibility == "visible"]
    if name == HOME and visible and page not in visible:
        st.switch_page(visible[0])
    shell.title(page.title)
    st.logo(str(PARTS / "wordmark.svg"), size="large")
    shell.draw(page.title)
    permissions.say_denied()
    if page in visible:
        page.run()
    else:
        permissions.draw_denied(permissions.PAGES[name])
    widget_defaults.end_run()
    garbage.spare_modules()
