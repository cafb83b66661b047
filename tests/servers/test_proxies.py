"""Two consoles behind one proxy: tests of sign-in rely on each request going to the other one."""

import os
import signal
import time
from pathlib import Path

import httpx
import pytest

from oauth import settings
from oauth.history.database import Database
from oauth.history.misdirected import RECENT, last
from oauth.installation import now
from tests.servers import postgresql, proxies
from tests.servers.running import pid_of


@pytest.mark.process
@pytest.mark.proxies
def test_requests_alternate_between_two_consoles(postgresql_server: postgresql.Server, tmp_path: Path) -> None:
    database = postgresql_server.url(postgresql_server.new_database())
    with proxies.two_consoles(tmp_path, database) as (address, ports):
        token = settings.load({"CONSOLE_HOME": str(tmp_path), "CONSOLE_KEY": proxies.KEY}).control_token
        for _ in range(4):
            assert httpx.post(f"{address}/sandbox/api/open/oauth/token", trust_env=False).status_code == 400
        for port in ports:
            own = f"http://127.0.0.1:{port}/sandbox/control/requests"
            seen = httpx.get(own, headers={"Authorization": f"Bearer {token}"}, trust_env=False)
            assert len(seen.json()) == 2


@pytest.mark.process
@pytest.mark.proxies
def test_an_upload_and_a_file_for_another_console_are_refused_with_the_reason(
    postgresql_server: postgresql.Server, tmp_path: Path
) -> None:
    database = postgresql_server.url(postgresql_server.new_database())
    with proxies.two_consoles(tmp_path, database) as (address, _):
        with httpx.Client(base_url=address, trust_env=False) as http:
            http.get("/_stcore/health")
            headers = {"X-Xsrftoken": http.cookies.get("_streamlit_xsrf") or ""}
            sent = http.put("/_stcore/upload_file/a-session/a-file", files={"file": b"{}"}, headers=headers)
            missing = http.get("/media/0123456789abcdef.json")
        for answer in (sent, missing):
            assert answer.status_code == 421, answer.text
            assert "reached another console" in answer.text
            assert "docs/operate.md" in answer.text
        consoles = Database(database, now)
        assert last(consoles, now()) is not None
        assert last(consoles, now() + RECENT) is None
        consoles.engine.dispose()


@pytest.mark.process
@pytest.mark.proxies
def test_console_that_is_stopped_behind_the_documented_proxy_refuses_nobody(
    postgresql_server: postgresql.Server, tmp_path: Path
) -> None:
    database = postgresql_server.url(postgresql_server.new_database())
    with proxies.team(tmp_path, database, "haproxy") as team:
        at_one = {"Cookie": "console_at=one"}
        assert httpx.get(f"{team.url}/live", headers=at_one, verify=False, trust_env=False).status_code == 200
        pid, statuses = pid_of(team.ports[0]), list[int]()
        os.kill(pid, signal.SIGTERM)
        end = time.monotonic() + 30
        while is_running(pid):
            assert time.monotonic() < end
            for headers in (at_one, {}):
                answer = httpx.get(f"{team.url}/live", headers=headers, verify=False, trust_env=False)
                statuses.append(answer.status_code)
        assert set(statuses) == {200}
        for _ in range(4):
            assert httpx.get(f"{team.url}/live", headers=at_one, verify=False, trust_env=False).status_code == 200


def is_running(pid: int) -> bool:
    """Return whether a process has not ended, or waits for its parent to notice."""
    return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
