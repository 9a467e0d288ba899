"""Tokens for the tests of the API."""

from django.contrib.auth.models import User

from experiments.models import ApiToken


def bearer(*scopes: str, owner: User | None = None) -> dict[str, str]:
    """Make a token and return the header that a client sends it in."""
    secret = ApiToken.issue(
        name="test", scopes=list(scopes or ["upload"]), owner_id=owner.pk if owner else None
    )
    return {"Authorization": f"Bearer {secret}"}
