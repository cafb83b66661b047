"""The server: the Streamlit pages, and beside them the callback, the downloads and the embedded sandbox.

``python app.py`` and ``streamlit run app.py`` start the same thing.
"""

import sys
from pathlib import Path

import streamlit as st
from starlette.routing import Mount

from oauth import sandbox
from oauth.installation import current, now
from oauth.routes import routes
from oauth.sandbox.app import application
from oauth.settings import SettingError
from pages.parts import mishap

try:
    installation = current()
except SettingError as error:
    sys.exit(str(error))

mishap.keep_messages_out_of_the_log()

app = st.App(
    Path(__file__).parent / "pages" / "navigation.py",
    routes=[
        *routes(installation.settings, installation.recorder, now),
        Mount("/sandbox", application(sandbox.embedded())),
    ],
    on_script_error=mishap.report,
)

if __name__ == "__main__":
    app.run(config={"server.port": installation.settings.port})
