"""Images as PNG files in base64, for records and pages."""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import NDArray


def png(picture: NDArray[np.uint8]) -> str:
    """Return an image as a PNG file in base64.

    Parameters
    ----------
    picture : uint8 ndarray of shape (height, width, channels)

    Examples
    --------
    >>> base64.b64decode(png(np.zeros((2, 2, 1), dtype=np.uint8)))[1:4]
    b'PNG'
    """
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(picture[:, :, 0] if picture.shape[2] == 1 else picture).save(stream, format="PNG")
    return base64.b64encode(stream.getvalue()).decode()
