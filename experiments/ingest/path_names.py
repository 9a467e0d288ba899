"""Paths of files as people see them and as they are kept."""

LONGEST_NAME = 255


def printable(text: str) -> str:
    """Return text as it can be printed and stored, with “�” for control and broken characters."""
    return "".join(c if c.isprintable() else "�" for c in text)


def shortened(name: str) -> str:
    """Return the end of a name that is too long to be kept, cut between folders where it can be."""
    while len(name) > LONGEST_NAME and "/" in name:
        name = name.split("/", 1)[1]
    return name[-LONGEST_NAME:]
