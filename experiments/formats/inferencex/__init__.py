"""InferenceX (InferenceMAX): rows and web CSV."""
