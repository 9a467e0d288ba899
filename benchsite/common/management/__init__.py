"""Management commands of the set-up."""
