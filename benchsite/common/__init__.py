"""What every app uses: no models, no pages."""
