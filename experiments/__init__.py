"""What was measured: uploads, sweeps, runs, measurements, and the pages that show them."""
