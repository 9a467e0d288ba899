"""Fixtures of the tests of uploads."""

import pytest
from django.test import Client

from tests.experiments.senders import Sender


@pytest.fixture
def people(client: Client) -> dict[str, Sender]:
    """Return who sent a run, somebody else who may upload, and a curator, each with a token."""
    return {
        "sender": Sender(client, "upload"),
        "other": Sender(client, "upload"),
        "curator": Sender(client, "curate"),
    }
