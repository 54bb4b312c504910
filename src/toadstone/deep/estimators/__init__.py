"""Networks as estimators of scikit-learn's kind."""
