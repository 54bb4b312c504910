"""Statistics of scores and rows: thresholds, confident learning, principal axes, SEVER."""
