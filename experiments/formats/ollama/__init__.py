"""Ollama: answers of its API."""
