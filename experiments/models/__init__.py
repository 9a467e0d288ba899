"""The tables of what was measured."""

from experiments.models.runs import Configuration, Measurement, Sweep, TestRun
from experiments.models.tokens import ApiToken
from experiments.models.uploads import Upload, UploadContent, UploadItem

__all__ = [
    "ApiToken",
    "Configuration",
    "Measurement",
    "Sweep",
    "TestRun",
    "Upload",
    "UploadContent",
    "UploadItem",
]
