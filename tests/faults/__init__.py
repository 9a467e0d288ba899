"""Faults while the site works: what is answered meanwhile, and what is there afterwards."""
