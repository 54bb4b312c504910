"""Records: what each command found, as data with a JSON schema; reports render them."""
