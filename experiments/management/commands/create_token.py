"""Make an API token."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from experiments.choices import TokenScope
from experiments.models import ApiToken


class Command(BaseCommand):
    """`manage.py create_token NAME --scope upload`: the token goes to stdout, alone."""

    help = "Make an API token and print it. It is shown this once and cannot be read again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the token's name, scopes and owner."""
        parser.add_argument("name", help="What the token is for.")
        parser.add_argument(
            "--scope",
            dest="scopes",
            action="append",
            required=True,
            choices=TokenScope.values,
            help="What it may do; may be repeated.",
        )
        parser.add_argument("--owner", metavar="USERNAME", help="Whose uploads its uploads are.")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Make the token and print its secret."""
        name = options["name"].strip()
        longest = ApiToken._meta.get_field("name").max_length or 0
        if not 0 < len(name) <= longest:
            raise CommandError(f"The name needs 1 to {longest} characters.")
        scopes = list(dict.fromkeys(options["scopes"]))
        secret = ApiToken.issue(name=name, scopes=scopes, owner_id=_owner_id(options["owner"]))
        self.stdout.write(secret)


def _owner_id(username: str | None) -> int | None:
    if username is None:
        return None
    users = get_user_model()._default_manager
    owner_id: int | None = users.filter(username=username).values_list("pk", flat=True).first()
    if owner_id is None:
        raise CommandError(f"There is no user {username}.")
    return owner_id
