"""A PostgreSQL of the site's own, started from a wheel's or the system's programs; no Django here.

It needs a POSIX system: benchsite.database imports it only where DATABASE_URL is not set.
"""
