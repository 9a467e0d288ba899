"""Withdraw and restore runs, scores and all that uploads made."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from benchmarks.models import BenchmarkScore
from experiments.ingest.actor import Actor
from experiments.ingest.review import restore, restore_upload, withdraw, withdraw_upload
from experiments.models import TestRun, Upload

Subject = TestRun | BenchmarkScore | Upload
_MODELS: dict[str, type[Subject]] = {"run": TestRun, "score": BenchmarkScore, "upload": Upload}


class Command(BaseCommand):
    """`manage.py withdraw ID… --reason TEXT`: out of every list; `--undo` brings back."""

    help = (
        "Withdraw runs, scores, or all that uploads made: they leave every list, and their pages "
        "give the reason. An id that is not known stops it before anything changes."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the ids, the reason and whose doing it is."""
        parser.add_argument("ids", nargs="+", metavar="ID", help="Of a run, a score or an upload.")
        parser.add_argument("--reason", default="", help="Why, for visitors.")
        parser.add_argument(
            "--undo", action="store_true", help="Bring back what was withdrawn or rejected."
        )
        parser.add_argument("--user", metavar="NAME", help="Who does it, for the history.")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Withdraw or restore everything named, or nothing, and print what was done."""
        reason = options["reason"].strip()
        if not options["undo"] and not reason:
            raise CommandError("Say why with --reason: it is what visitors will read.")
        # Who may run commands may do on the site whatever a curator may.
        actor = Actor(user=_user(options["user"]), is_curator=True)
        with transaction.atomic():
            subjects = [(text, *_find(text)) for text in dict.fromkeys(options["ids"])]
            lines = [
                f"{kind} {text}: {_change(subject, actor, reason, undo=options['undo'])}"
                for text, kind, subject in subjects
            ]
        for line in lines:
            self.stdout.write(line)


def _user(username: str | None) -> Any:
    if username is None:
        return None
    user = get_user_model()._default_manager.filter(username=username).first()
    if user is None:
        raise CommandError(f"There is no user {username}.")
    return user


def _find(text: str) -> tuple[str, Subject]:
    """Return what has this id, and what kind of thing it is."""
    try:
        pk = UUID(text)
    except ValueError as error:
        raise CommandError(
            f"{text} is not an id, such as 0193a0de-5c11-7a42-9b0e-6f1d2c3b4a55."
        ) from error
    for kind, model in _MODELS.items():
        if subject := model._default_manager.filter(pk=pk).first():
            return kind, subject
    raise CommandError(f"No run, score or upload has the id {text}; nothing was changed.")


def _change(subject: Subject, actor: Actor, reason: str, *, undo: bool) -> str:
    """Withdraw or restore one thing and say what was done."""
    word = "restored" if undo else "withdrawn"
    if isinstance(subject, Upload):
        if undo:
            done = restore_upload(upload=subject, actor=actor)
        else:
            done = withdraw_upload(upload=subject, who=actor.who, reason=reason)
        left = f"; {done.skipped} left as they are" if done.skipped else ""
        return f"{done.runs} runs and {done.scores} scores {word}{left}"
    run_ids = [subject.pk] if isinstance(subject, TestRun) else []
    score_ids = [] if run_ids else [subject.pk]
    if undo:
        done = restore(run_ids=run_ids, score_ids=score_ids, actor=actor)
    else:
        done = withdraw(run_ids=run_ids, score_ids=score_ids, who=actor.who, reason=reason)
    return f"is {subject.review_state} already" if done.skipped else word
