"""MLPerf inference: tables of results, and the log of LoadGen."""
