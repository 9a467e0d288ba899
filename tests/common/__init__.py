"""Tests of benchsite.common."""
