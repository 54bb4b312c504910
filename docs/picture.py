"""Take the README's picture of a real report: `make picture` (needs TOADSTONE_DATA and Chromium)."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

WIDTH, HEIGHT = 1280, 1540
COLOURS = 64
TARGET = Path(__file__).with_name("report.png")


def main() -> None:
    """Audit Enron, photograph the top of the report, and shrink the file."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        sys.exit("picture: expected Chromium or Chrome on the path, got neither")
    with tempfile.TemporaryDirectory() as folder:
        report, shot = Path(folder, "enron"), Path(folder, "shot.png")
        subprocess.run(
            [sys.executable, "-m", "toadstone", "audit", "enron", "--fraction", "0.03", "--out", report], check=True
        )
        flags = ["--headless", "--no-sandbox", "--hide-scrollbars", f"--window-size={WIDTH},{HEIGHT}"]
        page = (report / "report.html").as_uri()
        subprocess.run([browser, *flags, f"--screenshot={shot}", page], check=True, capture_output=True)
        with Image.open(shot) as picture:
            picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(TARGET, optimize=True)


if __name__ == "__main__":
    main()
