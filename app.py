"""The server: the Streamlit pages, and beside them the callback, the downloads and the embedded sandbox.

``python app.py`` and ``streamlit run app.py`` start the same server.
"""

import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import streamlit as st
from starlette.routing import BaseRoute, Mount
from streamlit import config

from oauth import sandbox
from oauth.history.upkeep import Upkeep
from oauth.installation import current, now
from oauth.routes import Below, routes
from oauth.sandbox.app import application
from oauth.settings import SettingError
from pages.parts.common import page_errors

try:
    installation = current()
except SettingError as error:
    sys.exit(str(error))

page_errors.keep_messages_out_of_the_log()
Upkeep(installation.history, now, installation.settings.retention_days).start()


public = urlsplit(installation.settings.public_url)
"""The address at which a reverse proxy publishes the console, if one does: pages accept its host, below its path."""

options: dict[str, Any] = {}
if public.hostname:
    options = {
        "server.allowedHosts": [*config.get_option("server.allowedHosts"), public.hostname],
        "server.corsAllowedOrigins": [
            *config.get_option("server.corsAllowedOrigins"),
            f"{public.scheme}://{public.netloc}",
        ],
        "server.baseUrlPath": public.path,
    }

if public.hostname:
    sandbox.embedded().register(f"{installation.settings.public_url}/callback")
other_routes: list[BaseRoute] = [
    *routes(installation.settings, installation.recorder, now),
    Mount("/sandbox", application(sandbox.embedded())),
]

app = st.App(
    Path(__file__).parent / "pages" / "navigation.py",
    routes=[Below(public.path, routes=other_routes)] if public.path else other_routes,
    on_script_error=page_errors.report,
)

if __name__ == "__main__":
    app.run(config={"server.port": installation.settings.port} | options)
else:  # "streamlit run" has read its own settings by now
    for name, value in options.items():
        config.set_option(name, value)
