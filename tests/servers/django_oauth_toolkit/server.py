"""django-oauth-toolkit as an authorization server, with Django's admin login.

``python server.py`` reads PORT, REDIRECT_URI (one or more, separated by spaces) and DATABASE from the environment.
"""

import os
from typing import Any

import django
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import settings

PORT = int(os.environ["PORT"])
ISSUER = f"http://127.0.0.1:{PORT}/o"
KEY = generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

settings.configure(
    SECRET_KEY="x" * 50,
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    LOGIN_URL="/admin/login/",
    STATIC_URL="/static/",
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.messages",
        "django.contrib.sessions",
        "oauth2_provider",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["DATABASE"]}},
    OAUTH2_PROVIDER={
        "OIDC_ENABLED": True,
        "OIDC_ISS_ENDPOINT": ISSUER,
        "OIDC_RSA_PRIVATE_KEY": KEY,
        "OAUTH_DEVICE_VERIFICATION_URI": f"{ISSUER}/device/",
        "SCOPES": {"openid": "Who you are", "read": "Read", "write": "Write", "introspection": "Look into tokens"},
        "PKCE_REQUIRED": True,
        "OAUTH2_VALIDATOR_CLASS": f"{__name__}.Validator",
        # Within a grace period the second use of a refresh token would succeed.
        "REFRESH_TOKEN_GRACE_PERIOD_SECONDS": 0,
    },
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()

import uvicorn  # noqa: E402
from django.contrib import admin  # noqa: E402
from django.contrib.auth.models import Group, User  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.urls import include, path  # noqa: E402
from oauth2_provider import urls  # noqa: E402
from oauth2_provider.models import Application  # noqa: E402
from oauth2_provider.oauth2_validators import OAuth2Validator  # noqa: E402

urlpatterns = [
    path("admin/", admin.site.urls),
    path("o/", include("oauth2_provider.urls")),
    # RFC 8414 §3 looks for the document at the root, with the issuer's path behind it.
    path("", include((urls.metadata_urlpatterns, "oauth2_provider"), namespace="root")),
]


class Validator(OAuth2Validator):  # type: ignore[misc]
    """Put the name of a person and their groups into the ``id_token``, for any scope."""

    oidc_claim_scope = None

    def get_additional_claims(self, request: Any) -> dict[str, Any]:
        user = request.user
        return {"name": user.username, "groups": [group.name for group in user.groups.all()]}


def populate() -> None:
    """Create the tables, a user, and a client for each grant."""
    call_command("migrate", verbosity=0)
    user = User.objects.create_superuser("demo", password="demo-password")
    user.groups.add(Group.objects.create(name="staff"))
    common = {"user": user, "hash_client_secret": False, "redirect_uris": os.environ["REDIRECT_URI"]}
    for client_id, client_type, grant in (
        ("web-app", "confidential", "authorization-code"),
        ("other-app", "confidential", "authorization-code"),
        ("machine-app", "confidential", "client-credentials"),
        ("device-app", "public", "urn:ietf:params:oauth:grant-type:device_code"),
    ):
        secret = f"{client_id}-secret-0123456789" if client_type == "confidential" else ""
        algorithm = "RS256" if grant == "authorization-code" else ""
        Application.objects.create(
            name=client_id,
            client_id=client_id,
            client_secret=secret,
            client_type=client_type,
            authorization_grant_type=grant,
            algorithm=algorithm,
            **common,
        )


if __name__ == "__main__":
    populate()
    uvicorn.run(get_asgi_application(), host="127.0.0.1", port=PORT, log_level="warning", lifespan="off")
