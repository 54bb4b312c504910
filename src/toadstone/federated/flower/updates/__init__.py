"""Updates as rows: the layout of a model, adapters, integers, means of groups, lengths and angles."""
