"""Commands of `bezoar`, each thin: parses, calls the pipeline, prints."""
