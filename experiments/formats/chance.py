"""Scores that guessing reaches: a run that failed looks like a model that knows nothing."""

_LEAST_DISTANCE = 1.0
"""Points above guessing below which a score says nothing, where its error is not known."""

_STANDARD_ERRORS = 2


def guessing_doubt(score: float, *, stderr: float | None, choices: int | None) -> str | None:
    """Return why a share of right answers, in percent, may be no more than guessing; None if not.

    `choices` is how many answers each question offers; None stands for open answers, which nobody
    guesses. A score counts as guessed up to two standard errors above the chance level, but one
    point at least; below it too, where broken runs lie (0.207 and 0.259 of four choices were seen).
    """
    chance = 100 / choices if choices else 0.0
    if score > chance + max(_LEAST_DISTANCE, _STANDARD_ERRORS * (stderr or 0.0)):
        return None
    if choices is None:
        return "hardly any answer is right: did the model answer at all?"
    return f"guessing among {choices} answers gives {chance:g}: did the run work?"
