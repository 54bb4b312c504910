"""Mathematics over arrays: no files, no estimators; labels are -1 and 1."""
