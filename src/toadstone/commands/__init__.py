"""Commands of `toadstone`, each thin: parses, calls the pipeline, prints."""
