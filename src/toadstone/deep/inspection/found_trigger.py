"""A trigger that was found by a search, as a function of images."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, eq=False, kw_only=True)
class FoundTrigger:
    """A mask and a content, put on images as ``(1 - mask) * image + content``, limited to [0, 1].

    Parameters
    ----------
    mask : Tensor of shape (height, width)
        Share of each pixel that is covered, in [0, 1]; zero where content is
        only added.
    content : Tensor of shape (channels, height, width)
        What is added, in units of pixels in [0, 1].

    Examples
    --------
    >>> import torch
    >>> corner = FoundTrigger(mask=torch.tensor([[0.0, 1.0]]), content=torch.tensor([[[0.0, 0.5]]]))
    >>> corner(torch.ones(1, 1, 1, 2)).tolist()
    [[[[1.0, 0.5]]]]
    """

    mask: Tensor
    content: Tensor

    def __call__(self, images: Tensor) -> Tensor:
        """Return images with the trigger.

        Parameters
        ----------
        images : floating-point Tensor of shape (n, channels, height, width)
            In [0, 1].

        Returns
        -------
        Tensor of the same shape
        """
        content = self.content.to(images)
        return ((1 - self.mask.to(images)) * images + content).clamp(0, 1)
