"""Run the command, also as ``python -m toadstone``."""

from toadstone.signals import leave_at_once


def main() -> None:
    """Run the command, and end without a traceback even while it is imported."""
    leave_at_once()
    from toadstone.cli import main as run

    run()


if __name__ == "__main__":
    main()
