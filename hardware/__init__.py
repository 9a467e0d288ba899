"""What runs ran on: hardware profiles, platforms and the catalogue of accelerators."""
