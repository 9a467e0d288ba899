"""Who calls: a token for writing; for reading nobody in particular, unless the site is closed."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from ninja.security import HttpBearer

from benchsite.common.review import ReviewState
from experiments.api.errors import ApiError
from experiments.choices import TokenScope
from experiments.ingest.actor import Actor
from experiments.models import ApiToken

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

LAST_USE_PRECISION = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who sent a request, as far as that is known."""

    token: ApiToken | None = None
    user: "AbstractBaseUser | None" = None

    @property
    def is_curator(self) -> bool:
        """Whether the caller may see what is not public, and change what others sent."""
        if self.token is not None:
            return self.token.allows(TokenScope.CURATE)
        return bool(self.user and self.user.is_active and getattr(self.user, "is_staff", False))

    def as_actor(self) -> Actor:
        """Return what the pipeline needs to know of the caller."""
        published = self.token is not None and self.token.allows(TokenScope.UPLOAD)
        return Actor(
            user=self.user,
            token=self.token,
            review_state=ReviewState.PUBLISHED if published else ReviewState.PENDING,
            is_curator=self.is_curator,
        )

    def as_reader(self) -> Actor | None:
        """Return who reads, None for the public."""
        return self.as_actor() if self.user or self.token else None


class ApiRequest(HttpRequest):
    """A request that passed the authentication of the API."""

    auth: Caller


class WriteAuth(HttpBearer):
    """Lets a token through that may submit, upload or curate."""

    def needed_scopes(self) -> tuple[TokenScope, ...]:
        """Return the scopes of which a token needs one; none = any token will do."""
        return (TokenScope.SUBMIT, TokenScope.UPLOAD)

    def authenticate(self, request: HttpRequest, token: str) -> Caller | None:
        """Return the token's caller; None (401) for an unknown token, ApiError (403) for scopes."""
        found = ApiToken.objects.find(token.strip())
        if found is None or (found.owner and not found.owner.is_active):
            return None
        scopes = self.needed_scopes()
        if scopes and not found.allows(*scopes):
            wanted = " or ".join(f"“{scope.value}”" for scope in scopes)
            raise ApiError(403, f"This needs a token with the scope {wanted}.")
        _note_use(found)
        return Caller(token=found, user=found.owner)


class ReadAuth(WriteAuth):
    """Lets everybody read; on a site that is not public, people logged in and read tokens."""

    def __call__(self, request: HttpRequest) -> Caller | None:
        """Return the caller. A token that is sent must be good, even where none is needed."""
        if request.headers.get("Authorization", "").lower().startswith("bearer "):
            caller: Caller | None = super().__call__(request)
            return caller
        if request.user.is_authenticated:
            return Caller(user=request.user)
        return Caller() if settings.BENCHSITE_PUBLIC else None

    def needed_scopes(self) -> tuple[TokenScope, ...]:
        """Return the scope for reading; none on a public site."""
        return () if settings.BENCHSITE_PUBLIC else (TokenScope.READ,)


def _note_use(token: ApiToken) -> None:
    """Keep when a token was last used, to the minute."""
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at > LAST_USE_PRECISION:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
