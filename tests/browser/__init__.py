"""The key journeys in a browser."""
