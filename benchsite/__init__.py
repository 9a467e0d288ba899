"""The site: settings, set-up, and what every app uses."""
