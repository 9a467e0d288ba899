"""The site's pages, and two yardsticks: nothing, and a table of 50 rows from one trivial query."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from benchsite.urls import handler500
from benchsite.urls import urlpatterns as of_site
from experiments.models import GridPlace

__all__ = ["handler500", "urlpatterns"]

ROWS = 50
HEADS = (
    *("Model", "Quantization", "Quality", "Generation", "Prompt", "TTFT", "Memory", "Efficiency"),
    *("Backend", "Platform", "Load", "When"),
)


def empty(_request: HttpRequest) -> HttpResponse:
    """Answer with nothing: what a request costs at least."""
    return HttpResponse(b"")


def table(request: HttpRequest) -> HttpResponse:
    """Show as many rows with as many cells as the grid does, read by primary key."""
    places = GridPlace.objects.select_related("variant", "cell__platform", "best").order_by("pk")
    return render(request, "bench/table.html", {"rows": places[:ROWS], "heads": HEADS})


urlpatterns = [path("bench/empty", empty), path("bench/table", table), *of_site]
