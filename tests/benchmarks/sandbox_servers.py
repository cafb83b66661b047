"""The servers that are measured, each in one process with a client ``machine-app``: ours and two others."""

import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.running import free_port, running

ROOT = Path(__file__).parents[2]
OIDC_PROVIDER = "oidc-provider@9.13.3"
DJANGO_PACKAGES = ("django-oauth-toolkit==3.4.1", "django==5.2.19", "gunicorn==27.0.1")

# Opaque tokens are its default, kept in its own bounded memory.
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

# A secret that is kept hashed would cost it most of its time; tokens are kept in SQLite.
DJANGO_PROGRAM = """
import os
import django
from django.conf import settings
settings.configure(
    SECRET_KEY='x' * 50, ALLOWED_HOSTS=['*'], ROOT_URLCONF=__name__, USE_TZ=True,
    INSTALLED_APPS=['django.contrib.auth', 'django.contrib.contenttypes', 'oauth2_provider'],
    MIDDLEWARE=['django.middleware.common.CommonMiddleware'],
    DATABASES={'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': os.environ['DATABASE'],
        'OPTIONS': {'init_command': 'PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF', 'timeout': 30}}},
    OAUTH2_PROVIDER={'SCOPES': {'read': 'read'}}, DEFAULT_AUTO_FIELD='django.db.models.BigAutoField',
)
django.setup()
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.urls import include, path
urlpatterns = [path('o/', include('oauth2_provider.urls'))]
call_command('migrate', verbosity=0)
from oauth2_provider.models import Application
Application.objects.get_or_create(
    client_id='machine-app', defaults=dict(client_secret='machine-secret', hash_client_secret=False,
    client_type='confidential', authorization_grant_type='client-credentials', name='machine'))
application = get_wsgi_application()
"""


@contextmanager
def sandbox() -> Iterator[str]:
    """Ours, as ``python -m oauth sandbox`` starts it."""
    port = free_port()
    with running([sys.executable, "-m", "oauth", "sandbox", "--port", str(port)], ROOT, {}, port):
        yield f"http://127.0.0.1:{port}/api/open/oauth/token"


@contextmanager
def oidc_provider(folder: Path) -> Iterator[str]:
    """oidc-provider on Node."""
    if not (folder / "node_modules").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true, "type": "module"}', encoding="utf-8")
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", OIDC_PROVIDER], cwd=folder, check=True)
    (folder / "server.js").write_text(NODE_PROGRAM, encoding="utf-8")
    port = free_port()
    environ = {"PORT": str(port), "NODE_ENV": "production"}
    with running(["node", "server.js"], folder, environ, port):
        yield f"http://127.0.0.1:{port}/token"


@contextmanager
def django_oauth_toolkit(folder: Path) -> Iterator[str]:
    """django-oauth-toolkit under gunicorn: one worker, four threads, connections kept."""
    python = folder / "venv" / "bin" / "python"
    if not python.exists():
        folder.mkdir(parents=True, exist_ok=True)
        venv.create(folder / "venv", with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *DJANGO_PACKAGES], check=True)
    (folder / "server.py").write_text(DJANGO_PROGRAM, encoding="utf-8")
    port = free_port()
    database = folder / f"{port}.db"
    options = ["--workers", "1", "--worker-class", "gthread", "--threads", "4", "--keep-alive", "75"]
    command = [str(python), "-m", "gunicorn", "server:application", "--bind", f"127.0.0.1:{port}", *options]
    with running(command, folder, {"DATABASE": str(database)}, port):
        yield f"http://127.0.0.1:{port}/o/token/"
