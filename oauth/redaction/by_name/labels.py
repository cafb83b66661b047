"""Passwords, secrets and keys behind their names in other languages than English, as people write them in a ticket.

Such are ``Passwort: ...``, ``hasło to ...`` and ``密码：...``. A password has a letter and a digit, as in
``prose.py``; a key must look random.
"""

import re
from collections.abc import Iterator

from oauth.redaction.names import is_random
from oauth.redaction.occurrences import Occurrence

_PASSWORDS = (
    "passwort kennwort пароль 密码 密碼 パスワード 비밀번호 hasło haslo contraseña contrasena clave senha wachtwoord "
    "lösenord heslo jelszó parola"
)
_SECRETS = "geheimnis секрет 密钥 密鑰 sekret secreto segredo"
_KEYS = "schlüssel ключ klucz clé chiave klíč"
_IN_COMPOUNDS = "passwort kennwort geheimnis schlüssel"
"""Names that also end longer words."""

_KINDS = {"mot de passe": "password"} | {
    name: kind
    for kind, names in (("password", _PASSWORDS), ("secret", _SECRETS), ("key", _KEYS))
    for name in names.split()
}
_FREE = [name for name in _KINDS if name in _IN_COMPOUNDS.split() or ord(name[0]) > 0x2E80]
_WHOLE = [name for name in _KINDS if name not in _FREE]
_LABEL = re.compile(
    rf"(?P<name>{'|'.join(_FREE)}|(?<!\w)(?:{'|'.join(_WHOLE)})(?!\w))(?:[ \t]+[\w-]{{1,20}}){{0,4}}?[ \t]*"
    r"(?:[:=：＝]|(?<=[ \t])(?:ist|lautet|to|jest|est|es|é|è|это)(?=[ \t])|[是は])[ \t\"'«„“]{0,3}"
    r"(?P<value>[^\s\"'«»„“”<>,;&]{4,4000})",
    re.IGNORECASE,
)
_PASSWORD = re.compile(r"(?=[^0-9]{0,99}[0-9])(?=[\W\d_]{0,99}[^\W\d_])(?!.*(?:://|\*{3}|[0-9]:[0-9])).+")


def has_label(text: str) -> bool:
    """Return whether one of the names is in a text: the finder is needed for few."""
    lower = text.lower()
    return any(name in lower for name in _KINDS)


def find_labelled(text: str) -> Iterator[Occurrence]:
    """Yield the values behind such names."""
    for label in _LABEL.finditer(text):
        # Letters such as a long s match without regard to case, and have another lower case.
        kind, value = _KINDS.get(label["name"].lower(), "secret"), label["value"].rstrip(".:!?)")
        if is_random(value, 6, named=True) or (kind != "key" and _PASSWORD.fullmatch(value)):
            yield Occurrence(label.start("value"), label.start("value") + len(value), kind, (value,))
