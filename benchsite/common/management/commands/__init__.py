"""Bringing the site up and serving it."""
