"""Training of linear models: coordinate descent, interior point, Crammer-Singer, AdaGrad."""
