"""The server: the Streamlit pages, the callback, the downloads and the embedded sandbox.

``oauth-console``, ``python app.py`` and ``streamlit run app.py`` all start it.
"""

import asyncio
import ctypes
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import streamlit as st
import streamlit.logger
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp
from streamlit import config
from streamlit.file_util import get_static_dir
from streamlit.runtime import get_instance

from oauth import logs
from oauth.access import chores
from oauth.access.sign_in import load as load_sign_in
from oauth.addresses import is_loopback
from oauth.exports import links
from oauth.history.database import HistoryError, WrongKeyError
from oauth.history.upkeep import Upkeep
from oauth.installation import current, now
from oauth.routes import Below, routes
from oauth.routes.doors import Doors, Entrance, page_policy
from oauth.routes.request_ids import RequestIds
from oauth.routes.sandbox_control import ControlElsewhere, SandboxTokens
from oauth.routes.termination import graceful
from oauth.settings import SettingError, check_host, with_files
from oauth.version import version
from oauth_sandbox import MOUNTED, Api, embedded
from oauth_sandbox.app import application
from oauth_sandbox.control.access import ControlAccess
from pages.parts.common import keyboard, page_errors

M_ARENA_MAX, M_MMAP_THRESHOLD = -8, -3
"""Parameters of mallopt(3)."""

if __name__ == "__main__" and len(sys.argv) > 1:
    sys.exit(
        f"app.py takes no arguments, and was given: {' '.join(sys.argv[1:])}. Settings are environment variables, "
        "such as CONSOLE_PORT; `python -m oauth --help` lists the commands."
    )

if config._main_script_path is None:
    # Streamlit looks for .streamlit/config.toml beside the main script, which "streamlit run" has named by now. Without
    # this line, a console started from another folder would read the defaults below.
    config._main_script_path = __file__

try:
    installation = current()
    sign_in = load_sign_in(with_files(os.environ), installation.settings.sign_in)
    host = installation.settings.host or config.get_option("server.address") or "0.0.0.0"  # noqa: S104
    check_host("STREAMLIT_SERVER_ADDRESS", host, installation.settings.sign_in)
    installation.history.database.check_key()
except (SettingError, WrongKeyError) as error:
    sys.exit(str(error))

# Each time that the thread that serves HTTP has something to do, it waits up to this many seconds for each other thread
# that is at work, such as a session that redacts a long response. Python's default is 5 ms.
sys.setswitchinterval(0.001)

with suppress(AttributeError):  # a C library other than glibc (mallopt(3))
    # Each of Streamlit's threads would get a heap of its own, whose free memory is of no use to the others.
    ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)
    # The memory of a large text goes back to the system, also after the first one.
    ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, 1024 * 1024)

# Else the server takes an address in X-Forwarded-For for that of the client, from anybody on this machine.
os.environ.setdefault("FORWARDED_ALLOW_IPS", "")

logs.set_up(installation.settings.log)
# Streamlit gives each of its loggers a handler and a format of its own, also later ones.
streamlit.logger.setup_formatter = logs.adopt
streamlit.logger.update_formatter()
page_errors.keep_messages_out_of_the_log()
audit = installation.audit()
if installation.history.database.is_shared:
    # Imported late: the console of one person starts faster.
    from oauth.drills.sandbox_queue import SANDBOX
    from oauth.history.elsewhere_lock import ElsewhereLock

    SANDBOX.share(ElsewhereLock(installation.history.database))
upkeep = Upkeep(
    installation.history,
    now,
    installation.settings.retention_days,
    before_deletion=audit.record_deletion,
    daily=partial(chores.remove_old, audit),
)
upkeep.start()

public = urlsplit(installation.settings.public_url)
"""The address under which a proxy publishes the console; the pages then answer to its host, below its path."""

origins = [origin.strip().lower() for origin in config.get_option("server.corsAllowedOrigins")]
options: dict[str, Any] = {
    "logger.hideWelcomeMessage": installation.settings.log == "json",  # which is no JSON
    # A session whose connection was lost is kept as long as the flow that it shows.
    "server.disconnectedSessionTTL": round(installation.settings.flow_lifetime.total_seconds()),
}
if public.hostname:
    origins.append(f"{public.scheme}://{public.netloc}".lower())
    options |= {"server.corsAllowedOrigins": origins, "server.baseUrlPath": public.path}
    for api in MOUNTED:
        embedded(api).register(f"{installation.settings.public_url}/callback")
    embedded(Api.GENERIC).publish(f"{installation.settings.public_url}/sandbox{MOUNTED[Api.GENERIC]}")
# Streamlit checks the host of its WebSocket again, for which the middleware restores the host of a listed origin.
hosts = [*config.get_option("server.allowedHosts")]
if hosts:  # without any, every host is allowed
    hosts += filter(None, (urlsplit(origin).hostname for origin in origins))
    options["server.allowedHosts"] = hosts

# Under a name of its own the console is shared, and loopback tells no longer who asks.
personal = bool(hosts) and all(map(is_loopback, hosts)) and not installation.settings.control_needs_token
control_access = ControlAccess(installation.settings.control_token, open=personal)


def sessions() -> int:
    """Return the number of browser tabs that are connected."""
    return len(get_instance()._session_mgr.list_active_sessions())


def sandbox_of(api: Api) -> ASGIApp:
    """Return what is served below /sandbox for an API: the embedded sandbox, or the control of the shared one."""
    settings = installation.settings
    if settings.sandbox_url:
        address = f"{settings.sandbox_url}{MOUNTED[api]}"
        return SandboxTokens(
            ControlElsewhere(address, settings.sandbox_token, now), installation.audit, settings.sandbox_token
        )
    own = application(embedded(api), control_access)
    return SandboxTokens(own, installation.audit, settings.control_token)


routes_beside_pages: list[BaseRoute] = [
    *routes(installation.settings, installation.recorder, now, sessions=sessions),
    *(Mount(f"/sandbox{path}", sandbox_of(api)) for api, path in MOUNTED.items()),
]

doors = Middleware(
    Doors,
    entrance=Entrance(hosts, origins, bool(public.hostname), public.path, links.cookie_name(installation.settings)),
    policy=page_policy(Path(get_static_dir(), "index.html").read_text(encoding="utf-8") + keyboard.SCRIPT),
)

middleware = [Middleware(RequestIds, public.path), doors]
if sign_in is not None:
    from oauth.routes.sign_in import gate  # imported late: a console without it starts faster

    middleware.append(Middleware(gate(sign_in, installation.settings, audit, now, public.path)))
if installation.history.database.is_shared:
    from oauth.history import misdirected
    from oauth.routes.misdirected import Misdirected

    middleware.append(
        Middleware(Misdirected, public.path, lambda: misdirected.note(installation.history.database, now()))
    )


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Frame the time in which the server serves."""
    logging.getLogger("oauth.console").info("OAuth Console %s is ready", version())
    async with graceful(behind_proxy=bool(public.hostname)):
        yield
    try:
        await asyncio.to_thread(upkeep.leave)
    except HistoryError as error:
        logging.getLogger("oauth.console").warning("The others learn in a minute that this console is gone: %s", error)


app = st.App(
    Path(__file__).parent / "pages" / "navigation.py",
    routes=[Below(public.path, routes=routes_beside_pages)] if public.path else routes_beside_pages,
    middleware=middleware,
    lifespan=lifespan,
    on_script_error=page_errors.report,
)

if __name__ == "__main__":
    # What was read above is forgotten, or the same settings with these options would count as changed by somebody.
    config._config_options = None
    app.run(config={"server.port": installation.settings.port, "server.address": host} | options)
else:  # imported by "streamlit run", which has read its settings by now
    for name, value in options.items():
        config.set_option(name, value)
