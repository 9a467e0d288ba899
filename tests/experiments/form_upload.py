"""Walking the upload form in tests: send files, read their preview, press its buttons."""

import re
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from experiments.admin.batch_actions import prefix_of
from experiments.models import Upload

URL = "/admin/experiments/upload/add/"


def send(client: Client, *files: SimpleUploadedFile, **fields: Any) -> Any:
    """Post files, or `text`, with context fields; return the preview or what the form answers."""
    return client.post(URL, {"file": list(files), **fields}, follow=True)


def press(client: Client, button: str, batch: Any = None, **fields: str) -> Any:
    """Press a button of the newest preview; `fields` by their full names. Redirects are followed.

    Fields of the drafts that are not given are sent as they stand on the page.
    """
    drafts = list(Upload.objects.drafts().order_by("-created_at", "-id"))
    batch = batch or drafts[0].batch
    data: dict[str, str] = {"action": button}
    for draft in drafts:
        if draft.batch == batch:
            prefix = prefix_of(draft)
            data |= {f"{prefix}-{name}": value for name, value in draft.context.items()}
            data[f"{prefix}-sent"] = "1"
            if draft.replacing:
                data[f"{prefix}-replace"] = "on"
    url = f"/admin/experiments/upload/batch/{batch}/"
    return client.post(url, data | fields, follow=True)


def field_of(draft: Upload, name: str) -> str:
    """Return the full name of a draft's field."""
    return f"{prefix_of(draft)}-{name}"


def draft(name: str) -> Upload:
    """Return the draft of the file of this name."""
    return Upload.objects.drafts().get(file_name=name)


def text_of(response: Any) -> str:
    """Return a page's text without tags, white space put together."""
    plain = re.sub(r"<[^>]+>", " ", response.content.decode())
    return re.sub(r"\s+", " ", plain)
