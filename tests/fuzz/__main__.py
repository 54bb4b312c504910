"""Read many damaged files: python -m tests.fuzz [NUMBER OF INPUTS] [FIRST]."""

from __future__ import annotations

import collections
import faulthandler
import resource
import sys
import tempfile
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from trial import input_of, tried

HANGING = 120.0


def main(count: int, first: int) -> int:
    """Try the inputs, print what became of each format, and return the number of broken laws."""
    outcomes: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    kinds: collections.Counter[str] = collections.Counter()
    folder = Path(tempfile.mkdtemp(prefix="toadstone-fuzz-"))
    for number in range(first, first + count):
        seed, content, request = input_of(number)
        # Compiled code that never comes back is not stopped by a signal's handler.
        faulthandler.dump_traceback_later(HANGING, exit=True)
        try:
            outcome = tried(seed, content, request, folder)
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            kind = f"{type(error).__name__}: {str(error)[:120]} ({Path(where.filename).name}:{where.lineno})"
            if not kinds[kind]:
                sys.stderr.write(f"{number} {seed.name} {request}\n{traceback.format_exc()}\n")
            kinds[kind] += 1
            outcome = "broken"
        outcomes[seed.name][outcome] += 1
    faulthandler.cancel_dump_traceback_later()
    report(outcomes, kinds)
    return sum(kinds.values())


def report(outcomes: dict[str, collections.Counter[str]], kinds: collections.Counter[str]) -> None:
    """Print the counts by format, and every kind of failure."""
    for name, counts in outcomes.items():
        print(f"{name:20} " + ", ".join(f"{counts[what]:6} {what}" for what in ("read", "refused", "broken")))
    whole = sum(outcomes.values(), collections.Counter())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{whole.total()} inputs: {dict(whole)}; {time.process_time():.0f} s of processor time, peak {peak} MiB")
    for kind, times in kinds.most_common():
        print(f"{times:6} {kind}")


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]] + [20_000, 0][len(sys.argv) - 1 :]
    sys.exit(min(1, main(*numbers[:2])))
