"""Pages without a browser: AppTest runs the scripts; routes and sandbox are served over HTTP."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from streamlit import config
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

import oauth_sandbox as sandbox
from oauth.installation import Installation, now
from oauth.routes import routes
from oauth_sandbox.testing import serving

NAVIGATION = Path(__file__).parent.parent.parent / "pages" / "navigation.py"
TEXTS = (
    "markdown",
    "caption",
    "code",
    "text",
    "header",
    "error",
    "warning",
    "info",
    "success",
    "title",
    "text_input",
)


@pytest.fixture(autouse=True, scope="session")
def components() -> Iterator[None]:
    """Search the installed packages for Streamlit components once, and not for every session: it takes 0.3 seconds."""
    installed = manifest_scanner.scan_component_manifests()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", lambda: installed)
        yield


@pytest.fixture
def server(console: Installation) -> Iterator[str]:
    """Serve the console's routes and its sandbox on a free port, which the pages take for their own address."""
    mounted = []
    for api, path in sandbox.MOUNTED.items():
        embedded = sandbox.embedded(api)
        embedded.reset()
        mounted.append(Mount(f"/sandbox{path}", sandbox.application(embedded)))
    app = Starlette(
        routes=[
            *routes(console.settings, console.recorder, now),
            *mounted,
        ]
    )
    with serving(app) as url:
        before = config.get_option("server.port")
        config.set_option("server.port", int(url.rpartition(":")[2]), "test")
        yield url
        config.set_option("server.port", before, "test")


class Page:
    """One session of the console, driven by the keys of its widgets."""

    def __init__(self) -> None:
        self.app = AppTest.from_file(str(NAVIGATION), default_timeout=30)
        self.run()

    def run(self) -> None:
        self.app.run()
        assert not self.app.exception, "the page shows a traceback"

    def text(self) -> str:
        """Return all text on the page, with the values of its fields."""
        texts = [str(getattr(element, "value", "")) for kind in TEXTS for element in self.app.get(kind)]
        return "\n".join([*texts, *(element.proto.body for element in self.app.get("html"))])

    def go(self, page: str, **parameters: str) -> None:
        for name, value in parameters.items():
            self.app.query_params[name] = value
        self.app.switch_page(page)
        self.run()

    def press(self, key: str) -> None:
        self.app.button(key=key).click()
        self.run()

    def type(self, key: str, text: str) -> None:
        self.app.text_input(key=key).set_value(text)
        self.run()

    def value(self, key: str) -> str:
        return str(self.app.text_input(key=key).value)

    def untick(self, key: str) -> None:
        self.app.checkbox(key=key).uncheck()
        self.run()

    def pick(self, key: str, value: str) -> None:
        self.app.selectbox(key=key).set_value(value)
        self.run()

    def open(self, key: str, value: str | bool) -> None:
        """Choose from a list of radio buttons, or a tab by its name; or open an expander."""
        if any(item.key == key for item in self.app.radio):
            self.app.radio(key=key).set_value(value)
        else:
            self.app.session_state[key] = value
        self.run()

    def choose(self, key: str, value: str) -> None:
        self.app.segmented_control(key=key).set_value(value)
        self.run()

    def decide(self, decision: str = "approve") -> str:
        """Decide at the provider, and return the address that the browser is sent to."""
        url = next(link.proto.url for link in self.app.link_button if link.key == "authorize.open")
        answer = httpx.post(url, data={"decision": decision}, trust_env=False)
        assert answer.status_code == 302
        return answer.headers["location"]

    def paste(self, text: str) -> None:
        """Paste the callback in step 2."""
        if not any(button.key == "callback.read" for button in self.app.button):
            self.press("rail.callback")
        self.type("callback.pasted", text)
        self.press("callback.read")


@pytest.fixture
def page(server: str) -> Page:
    """The console at its home page."""
    return Page()
