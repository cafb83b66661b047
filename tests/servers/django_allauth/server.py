"""django-allauth as an authorization server, with its own login and consent pages and open registration.

``python server.py`` reads PORT, REDIRECT_URI, DATABASE and TOKEN_SECONDS from the environment.
"""

import os

import django
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import settings

PORT = int(os.environ["PORT"])
KEY = generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

settings.configure(
    SECRET_KEY="x" * 50,
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    STATIC_URL="/static/",
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.messages",
        "django.contrib.sessions",
        "allauth",
        "allauth.account",
        "allauth.idp.oidc",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "allauth.account.middleware.AccountMiddleware",
    ],
    AUTHENTICATION_BACKENDS=["allauth.account.auth_backends.AuthenticationBackend"],
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
    ACCOUNT_EMAIL_VERIFICATION="none",
    ACCOUNT_RATE_LIMITS=False,
    IDP_OIDC_PRIVATE_KEY=KEY,
    IDP_OIDC_INTROSPECTION_ENABLED=True,
    IDP_OIDC_DCR_ENABLED=True,
    IDP_OIDC_DCR_REQUIRES_INITIAL_ACCESS_TOKEN=False,
    IDP_OIDC_RATE_LIMITS=False,
    IDP_OIDC_ACCESS_TOKEN_EXPIRES_IN=int(os.environ.get("TOKEN_SECONDS", "3600")),
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()

import uvicorn  # noqa: E402
from allauth.idp.oidc.models import Client  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.urls import include, path  # noqa: E402

urlpatterns = [path("accounts/", include("allauth.account.urls")), path("", include("allauth.idp.urls"))]


def populate() -> None:
    """Create the tables, a user, and a confidential and a public client."""
    call_command("migrate", verbosity=0)
    User.objects.create_user("demo", "demo@example.com", "demo-password")
    for client_id, scopes, grants in (
        ("web-app", "openid profile email", "authorization_code refresh_token"),
        ("other-app", "openid profile email", "authorization_code refresh_token"),
        ("limited-app", "openid", "authorization_code"),
        ("public-app", "openid profile email", "authorization_code refresh_token"),
        ("device-app", "openid", "urn:ietf:params:oauth:grant-type:device_code"),
    ):
        is_public = client_id in ("public-app", "device-app")
        client = Client(
            id=client_id,
            name=client_id,
            type=Client.Type.PUBLIC if is_public else Client.Type.CONFIDENTIAL,
            scopes=scopes.replace(" ", "\n"),
            grant_types=grants.replace(" ", "\n"),
            redirect_uris=os.environ["REDIRECT_URI"],
        )
        client.set_secret("" if is_public else f"{client_id}-secret-0123456789")
        client.save()


if __name__ == "__main__":
    populate()
    uvicorn.run(get_asgi_application(), host="127.0.0.1", port=PORT, log_level="warning", lifespan="off")
