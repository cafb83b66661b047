"""``python -m oauth token``: create, list and revoke the tokens of programs."""

import argparse
import sys

from oauth.access import tokens
from oauth.access.audit import COMMAND_LINE
from oauth.access.people import names
from oauth.access.tokens import MOST_DAYS, Scope, Token, TokenError
from oauth.cli.output import CommandError, echo
from oauth.history.store import HistoryError
from oauth.installation import Installation, current, now
from oauth.settings import SettingError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="action")
    create = actions.add_parser("create", help="create a token, and print it: it is shown once")
    create.add_argument("name", metavar="NAME", help="of the token, such as that of the program")
    create.add_argument(
        "--scope", action="append", required=True, choices=[*Scope], help="a permission; may be repeated"
    )
    create.add_argument("--days", type=int, required=True, metavar="N", help=f"until it expires, at most {MOST_DAYS}")
    actions.add_parser("list", help="list the tokens, their scopes, end and last use")
    revoke = actions.add_parser("revoke", help="revoke a token")
    revoke.add_argument("name", metavar="NAME")


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return the exit status. Raises ``CommandError``."""
    try:
        action = {"create": _create, "list": _list, "revoke": _revoke}[arguments.action]
        action(current(), arguments)
    except (SettingError, HistoryError, TokenError) as error:
        raise CommandError(str(error)) from error
    return 0


def _create(installation: Installation, arguments: argparse.Namespace) -> None:
    secret = tokens.create(installation.audit(), COMMAND_LINE, arguments.name, arguments.scope, arguments.days)
    print("The token is shown once. Keep it where secrets are kept.", file=sys.stderr)
    echo(secret)


def _list(installation: Installation, _arguments: argparse.Namespace) -> None:
    database = installation.history.database
    entries = tokens.all_tokens(database)
    creators = names(database, {token.created_by for token in entries})
    for token in entries:
        creator = creators.get(token.created_by, token.created_by)
        echo(f"{token.name}\t{' '.join(token.scopes)}\t{_end(token)}\t{_use(token)}\tcreated by {creator}")


def _end(token: Token) -> str:
    return f"{'expired' if token.expires_at <= now() else 'expires'} {token.expires_at:%Y-%m-%d %H:%M} UTC"


def _use(token: Token) -> str:
    return f"last used {token.used_at:%Y-%m-%d %H:%M} UTC" if token.used_at else "never used"


def _revoke(installation: Installation, arguments: argparse.Namespace) -> None:
    if not tokens.revoke(installation.audit(), COMMAND_LINE, arguments.name):
        raise CommandError(f"there is no token {arguments.name!r}; token list shows all.")
