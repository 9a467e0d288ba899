"""Tests of the hardware app."""
