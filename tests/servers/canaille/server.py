"""canaille with its own login and consent pages, open registration and its data in SQLite.

``python server.py`` reads PORT, REDIRECT_URI and DATABASE from the environment.
"""

import datetime
import os

from canaille import create_app
from canaille.app import models
from canaille.backends import Backend
from joserfc.jwk import RSAKey
from werkzeug.serving import run_simple

PORT = int(os.environ["PORT"])
CLIENTS = ("web-app", "post-app", "other-app", "public-app")
GRANTS = ["authorization_code", "refresh_token"]

app = create_app(
    {
        "SECRET_KEY": "x" * 50,
        "SERVER_NAME": f"127.0.0.1:{PORT}",
        "PREFERRED_URL_SCHEME": "http",
        "WTF_CSRF_ENABLED": True,
        "CANAILLE": {"DATABASE": "sql", "JAVASCRIPT": False, "HTMX": False},
        "CANAILLE_SQL": {"DATABASE_URI": f"sqlite:///{os.environ['DATABASE']}"},
        "CANAILLE_OIDC": {
            "DYNAMIC_CLIENT_REGISTRATION_OPEN": True,
            "TRUSTED_DOMAINS": [],
            "ACTIVE_JWKS": [RSAKey.generate_key(2048, {"kid": "server-key"}).as_dict(private=True)],
        },
    },
    env_file=None,
)


def populate() -> None:
    """Create a user, and a client for each method of authentication."""
    Backend.instance.save(
        models.User(
            user_name="demo", formatted_name="Demo Person", family_name="Person", emails=["demo@example.com"],
            password="demo-password",
        )
    )  # fmt: skip
    for client_id in CLIENTS:
        method = {"post-app": "client_secret_post", "public-app": "none"}.get(client_id, "client_secret_basic")
        client = models.Client(
            client_id=client_id,
            client_name=client_id,
            client_secret="" if method == "none" else f"{client_id}-secret-0123456789",
            client_id_issued_at=datetime.datetime.now(datetime.UTC),
            token_endpoint_auth_method=method,
            redirect_uris=[os.environ["REDIRECT_URI"]],
            grant_types=GRANTS,
            response_types=["code"],
            scope=["openid", "profile", "email"],
        )
        client.audience = [client]
        Backend.instance.save(client)


if __name__ == "__main__":
    with app.app_context():
        populate()
    run_simple("127.0.0.1", PORT, app, threaded=True)
