"""The addresses of the upload pages, below those of the uploads in the admin."""

from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path

from experiments.admin import my_uploads
from experiments.admin.batch_page import batch_page
from experiments.admin.known_names import find_known

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

View = Callable[..., HttpResponseBase]
_READ = ("GET", "HEAD")


def upload_urls(model_admin: "ModelAdmin[Any]") -> list[URLPattern]:
    """Return the patterns of the upload pages; each needs the permission to add uploads."""

    def batch(request: HttpRequest, batch: UUID) -> HttpResponse:
        return batch_page(request, model_admin, batch)

    def mine(request: HttpRequest) -> HttpResponse:
        return my_uploads.my_uploads(request, model_admin)

    pages: list[tuple[str, str, View, tuple[str, ...]]] = [
        ("mine/", "mine", mine, _READ),
        ("batch/<uuid:batch>/", "batch", batch, (*_READ, "POST")),
        ("known/<slug:kind>/", "known", find_known, _READ),
        ("<uuid:upload_id>/raw/", "raw", raw_bytes, _READ),
        ("<uuid:upload_id>/again/", "again", my_uploads.send_again, ("POST",)),
        ("<uuid:upload_id>/withdraw/", "withdraw", my_uploads.withdraw, ("POST",)),
        ("<uuid:upload_id>/restore/", "restore", my_uploads.restore, ("POST",)),
    ]
    return [
        path(route, model_admin.admin_site.admin_view(_page(view, methods)), name=f"upload-{name}")
        for route, name, view, methods in pages
    ]


def raw_bytes(request: HttpRequest, upload_id: UUID) -> FileResponse:
    """Send the bytes as received to their uploader and to curators."""
    upload = my_uploads.own_upload(upload_id, request)
    name = "".join(character for character in upload.file_name if character.isprintable())
    return FileResponse(
        BytesIO(upload.content.data),
        as_attachment=True,
        filename=name or f"{upload.pk}.txt",
        content_type="application/octet-stream",
    )


def _page(view: View, methods: tuple[str, ...]) -> View:
    """Let those in who may upload, with the methods that the page knows."""

    def checked(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        if not request.user.has_perm("experiments.add_upload"):
            raise PermissionDenied
        if request.method not in methods:
            return HttpResponseNotAllowed(methods)
        return view(request, **kwargs)

    return checked
