"""The way out: any selection of runs and scores, whole, in forms that others read."""
