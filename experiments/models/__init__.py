"""The tables of what was measured."""

from experiments.models.history import RunRevision
from experiments.models.reparses import Reparse, ReparseItem
from experiments.models.runs import Configuration, Measurement, Sweep, TestRun
from experiments.models.summaries import GridCell, GridModel, GridPlace, RepeatFigures
from experiments.models.tokens import ApiToken
from experiments.models.uploads import Upload, UploadContent, UploadItem, UploadQuerySet

__all__ = [
    "ApiToken",
    "Configuration",
    "GridCell",
    "GridModel",
    "GridPlace",
    "Measurement",
    "Reparse",
    "ReparseItem",
    "RepeatFigures",
    "RunRevision",
    "Sweep",
    "TestRun",
    "Upload",
    "UploadContent",
    "UploadItem",
    "UploadQuerySet",
]
