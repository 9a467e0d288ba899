"""What a model is and how good it is: variants, benchmarks and scores."""
