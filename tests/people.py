"""Who does things in tests that call services."""

from benchsite.common.review import COMMAND, Who

OPERATOR = Who("the operator", COMMAND, is_curator=True)
