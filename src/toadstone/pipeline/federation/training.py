"""The model of a simulation, and the way in which clients train it."""

from __future__ import annotations

from dataclasses import dataclass

from toadstone.core.checks import check_count, check_positive
from toadstone.core.errors import InvalidArgument, InvalidInput, missing_extra
from toadstone.federated.simulation.clients import ClientModel
from toadstone.federated.simulation.softmax import SoftmaxModel

MODELS = {"linear": "softmax regression", "cnn": "a network of two convolutions and a linear layer"}
RATES = {"linear": 0.5, "cnn": 0.1}


@dataclass(frozen=True)
class LocalTraining:
    """The model, and the steps of a client in a round.

    Parameters
    ----------
    name : {"linear", "cnn"}
    rate : float, optional
        Length of a step; 0.5 for the linear model and 0.1 for the network by
        default.
    steps, batch : int
        Steps a round, and rows a step.

    Raises
    ------
    InvalidArgument
        If a number is out of range, or there is no such model.
    """

    name: str = "linear"
    rate: float | None = None
    steps: int = 5
    batch: int = 32

    def __post_init__(self) -> None:
        if self.name not in MODELS:
            raise InvalidArgument("model", f"one of {', '.join(MODELS)}", self.name)
        check_count(steps=self.steps, batch=self.batch)
        check_positive(rate=self.step_length)

    @property
    def step_length(self) -> float:
        """The rate in use."""
        return RATES[self.name] if self.rate is None else self.rate

    def model(self, features: int, classes: int, image: tuple[int, int] | None) -> ClientModel:
        """Build the model for rows of some number of columns, which may be grey images.

        Raises
        ------
        InvalidArgument
            If it is for images, and the rows are none.
        InvalidInput
            If it needs PyTorch, which is not installed.
        """
        if self.name == "linear":
            return SoftmaxModel(
                features=features, classes=classes, rate=self.step_length, steps=self.steps, batch=self.batch
            )
        if image is None:
            raise InvalidArgument("model", "linear for rows that are no grey images", self.name)
        try:
            from toadstone.deep.training.client_network import ClientNetwork
        except ModuleNotFoundError as missing:
            if missing.name != "torch":
                raise
            raise InvalidInput(f"`model`: cnn {missing_extra('deep', 'PyTorch')}") from None
        height, width = image
        return ClientNetwork(
            height=height, width=width, classes=classes, rate=self.step_length, steps=self.steps, batch=self.batch
        )

    @property
    def words(self) -> str:
        """The model and the steps in words."""
        return f"{MODELS[self.name]}, {self.steps} steps of {self.batch} rows a round at a rate of {self.step_length:g}"
