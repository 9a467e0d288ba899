"""What became of a score since it was recorded."""

from django.db import models

from benchmarks.models.scores import BenchmarkScore
from benchsite.common.revisions import Revision


class ScoreRevision(Revision):
    """One change of a score; its values are part of what it is, so no earlier ones are kept."""

    subject = "score"

    # The index below begins with it.
    score = models.ForeignKey(
        BenchmarkScore, on_delete=models.CASCADE, related_name="revisions", db_index=False
    )

    class Meta(Revision.Meta):
        indexes = [models.Index(fields=["score", "-id"], name="scorerevision_newest_first")]
