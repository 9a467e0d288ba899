"""Pages for what cannot be shown; each says in a sentence what to do."""

from collections.abc import Sequence

from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from benchsite.common.review import ReviewState
from experiments.ingest.actor import Actor
from experiments.models import TestRun


def bad_request(request: HttpRequest, sentences: Sequence[str]) -> HttpResponse:
    """Return the 400 page with what is wrong with the address."""
    return render(request, "400.html", {"sentences": sentences}, status=400)


def not_found(request: HttpRequest, sentences: Sequence[str] = ()) -> HttpResponse:
    """Return the 404 page, with what to do where there is more to say than the page does."""
    return render(request, "404.html", {"sentences": sentences}, status=404)


def withdrawn(request: HttpRequest, run: TestRun) -> HttpResponse:
    """Return the 410 page of a withdrawn run with the reason."""
    reason = run.review_reason or "No reason was given."
    sentences = [f"The run {run.pk} was withdrawn.", f"Reason: {reason}"]
    return render(request, "410.html", {"sentences": sentences}, status=410)


def is_curator(request: HttpRequest) -> bool:
    """Tell whether the visitor may see what is not published."""
    user = getattr(request, "user", AnonymousUser())
    return bool(user.is_active and user.is_staff)


def reader_of(request: HttpRequest) -> Actor | None:
    """Return who reads a page, None for the public."""
    user = request.user
    return Actor(user=user, is_curator=is_curator(request)) if isinstance(user, User) else None


def refuse_unpublished(request: HttpRequest, run: TestRun) -> HttpResponse | None:
    """Return the page that the public gets instead of a run, None where the visitor may see it."""
    if run.review_state == ReviewState.PUBLISHED or is_curator(request):
        return None
    if run.review_state == ReviewState.WITHDRAWN:
        return withdrawn(request, run)
    return not_found(request)
