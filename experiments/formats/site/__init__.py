"""The site's own experiment JSON."""
