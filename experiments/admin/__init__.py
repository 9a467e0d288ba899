"""Curation of uploads and runs; measured values are read-only, deleting is withdrawing."""

from experiments.admin.reparses import ReparseAdmin
from experiments.admin.runs import (
    ConfigurationAdmin,
    MeasurementAdmin,
    RunRevisionAdmin,
    SweepAdmin,
    TestRunAdmin,
)
from experiments.admin.tokens import ApiTokenAdmin
from experiments.admin.uploads import UploadAdmin, UploadItemAdmin

__all__ = [
    "ApiTokenAdmin",
    "ConfigurationAdmin",
    "MeasurementAdmin",
    "ReparseAdmin",
    "RunRevisionAdmin",
    "SweepAdmin",
    "TestRunAdmin",
    "UploadAdmin",
    "UploadItemAdmin",
]
