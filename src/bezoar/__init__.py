"""bezoar: how bad can poisoning get, which rows are poison, how to train anyway."""

from bezoar.core.budget import Budget
from bezoar.core.dataset import Dataset, Poison

__all__ = ["Budget", "Dataset", "Poison", "__version__"]

__version__ = "0.1.0"
