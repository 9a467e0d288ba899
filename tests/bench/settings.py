"""The site's settings, with the pages of the yardsticks added."""

from pathlib import Path

from benchsite.settings import *  # noqa: F403 - all of them
from benchsite.settings import TEMPLATES as TEMPLATES_OF_SITE

ROOT_URLCONF = "tests.bench.urls"
_FOLDERS = [*TEMPLATES_OF_SITE[0]["DIRS"], Path(__file__).parent / "templates"]  # type: ignore[misc]
TEMPLATES = [{**TEMPLATES_OF_SITE[0], "DIRS": _FOLDERS}]
