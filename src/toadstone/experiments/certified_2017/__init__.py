"""Experiments of Steinhardt, Koh and Liang 2017: certified curves."""
