"""Reading stored uploads again with the parsers of today: preview, apply, undo."""
