"""Backups of a site: every table as of one moment, in a folder that any PostgreSQL can take in."""
