"""Run the command as ``python -m bezoar``."""

from bezoar.cli import main

if __name__ == "__main__":
    main()
