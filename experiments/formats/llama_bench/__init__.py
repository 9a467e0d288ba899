"""llama-bench: JSON, CSV, SQL, Markdown and rows in the records of scripts."""
