"""Run the command as ``python -m toadstone``."""

from toadstone.cli import main

if __name__ == "__main__":
    main()
