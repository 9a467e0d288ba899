"""Tests of model variants, benchmarks and scores."""
