"""What the pages show: facts turned into labelled rows, for templates and CSV alike."""
