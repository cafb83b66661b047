"""The servers that are measured, each in one process with a client ``machine-app``: ours and two others."""

import os
import platform
import subprocess
import sysconfig
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.servers.running import free_port

ROOT = Path(__file__).parents[2]
ARCHITECTURE = {"x86_64": "x64", "aarch64": "arm64"}[platform.machine()]
NODE = f"node-linux-{ARCHITECTURE}"
NODE_PACKAGES = (f"{NODE}@26.10.0", "oidc-provider@9.13.3")
DJANGO_PACKAGES = ("django-oauth-toolkit==3.4.1", "django==5.2.19", "gunicorn==27.0.1")

# Opaque tokens are its default, kept in its own memory, which holds the last 1,000 entries.
NODE_PROGRAM = """
import Provider from 'oidc-provider';
const port = Number(process.env.PORT);
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{
    client_id: 'machine-app', client_secret: 'machine-secret', grant_types: ['client_credentials'],
    redirect_uris: [], response_types: [], token_endpoint_auth_method: 'client_secret_post',
  }],
  features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
});
provider.listen(port, '127.0.0.1');
"""

# A secret that is kept hashed would cost it most of its time; tokens are kept in SQLite, which does not wait for the
# disk. Its tables are made before, so that they are no part of its start.
DJANGO_PROGRAM = """
import os
import django
from django.conf import settings
settings.configure(
    SECRET_KEY='x' * 50, ALLOWED_HOSTS=['*'], ROOT_URLCONF='server', USE_TZ=True,
    INSTALLED_APPS=['django.contrib.auth', 'django.contrib.contenttypes', 'oauth2_provider'],
    MIDDLEWARE=['django.middleware.common.CommonMiddleware'],
    DATABASES={'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': os.environ['DATABASE'],
        'OPTIONS': {'init_command': 'PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF', 'timeout': 30}}},
    OAUTH2_PROVIDER={'SCOPES': {'read': 'read'}}, DEFAULT_AUTO_FIELD='django.db.models.BigAutoField',
)
django.setup()
from django.urls import include, path
urlpatterns = [path('o/', include('oauth2_provider.urls'))]
if __name__ == '__main__':
    from django.core.management import call_command
    from oauth2_provider.models import Application
    call_command('migrate', verbosity=0)
    Application.objects.get_or_create(
        client_id='machine-app', defaults=dict(client_secret='machine-secret', hash_client_secret=False,
        client_type='confidential', authorization_grant_type='client-credentials', name='machine'))
else:
    from django.core.wsgi import get_wsgi_application
    application = get_wsgi_application()
"""


@dataclass(frozen=True, slots=True)
class Server:
    """A token endpoint, and how its server is started."""

    name: str
    command: list[str]
    folder: Path
    environ: Mapping[str, str]
    port: int
    path: str

    @property
    def url(self) -> str:
        """The token endpoint."""
        return f"http://127.0.0.1:{self.port}{self.path}"


def sandbox(python: str, *options: str) -> Server:
    """Return ours, as ``oauth-sandbox`` starts it, with the packages of this Python."""
    port = free_port()
    command = [python, "-m", "oauth_sandbox", "--port", str(port), *options]
    path = {"PYTHONPATH": f"{ROOT / 'sandbox' / 'src'}{os.pathsep}{sysconfig.get_path('purelib')}"}
    return Server("sandbox", command, ROOT, path, port, "/api/open/oauth/token")


def oidc_provider(folder: Path) -> Server:
    """Return oidc-provider, installed in a folder with its Node."""
    if not (folder / "node_modules").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true, "type": "module"}', encoding="utf-8")
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", *NODE_PACKAGES], cwd=folder, check=True)
    (folder / "server.js").write_text(NODE_PROGRAM, encoding="utf-8")
    port = free_port()
    command = [str(folder / "node_modules" / NODE / "bin" / "node"), "server.js"]
    return Server("oidc-provider", command, folder, {"PORT": str(port), "NODE_ENV": "production"}, port, "/token")


def django_oauth_toolkit(folder: Path) -> Server:
    """Return django-oauth-toolkit in a folder, under gunicorn: one worker, four threads, connections kept."""
    python = str(folder / "venv" / "bin" / "python")
    if not Path(python).exists():
        folder.mkdir(parents=True, exist_ok=True)
        venv.create(folder / "venv", with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *DJANGO_PACKAGES], check=True)
    (folder / "server.py").write_text(DJANGO_PROGRAM, encoding="utf-8")
    port = free_port()
    environ = {"DATABASE": str(folder / f"{port}.db")}
    subprocess.run([python, "server.py"], cwd=folder, env=os.environ | environ, check=True)
    options = ["--workers", "1", "--worker-class", "gthread", "--threads", "4", "--keep-alive", "75"]
    command = [python, "-m", "gunicorn", "server:application", "--bind", f"127.0.0.1:{port}", *options]
    return Server("django-oauth-toolkit", command, folder, environ, port, "/o/token/")
