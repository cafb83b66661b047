"""Two consoles behind one proxy: tests of sign-in rely on each request going to the other one."""

from pathlib import Path

import httpx
import pytest

from oauth import settings
from tests.servers import postgresql, proxies


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
