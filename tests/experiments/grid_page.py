"""What tests of the grid's page share: asking for it, and finding where its links lead."""

import re
from collections.abc import Mapping, Sequence
from html import unescape
from urllib.parse import parse_qs, urlsplit

from django.test import Client

Query = Mapping[str, str | Sequence[str]]


def page(client: Client, query: Query | None = None) -> str:
    """Return the text of the page, its spaces made single."""
    response = client.get("/", query)
    assert response.status_code == 200
    return " ".join(unescape(response.content.decode()).split())


def address(text: str, id: str) -> str:
    """Return where the link of an id leads."""
    found = re.search(rf'<a [^>]*id="{id}" href="([^"]*)"', text)
    assert found, id
    return found[1]


def asked(href: str) -> dict[str, list[str]]:
    """Return the query of an address."""
    return parse_qs(urlsplit(href).query)


def speed(value: float) -> dict[str, tuple[float, str, str | None]]:
    """Return the figures of a run with this generation speed."""
    return {"tokens_per_second": (value, "tok/s", "decode")}


def address_of(text: str, name: str) -> str:
    """Return where the link of these words leads."""
    found = re.search(rf'<a href="([^"]*)"[^>]*>{name}</a>', text)
    assert found, name
    return found[1]
