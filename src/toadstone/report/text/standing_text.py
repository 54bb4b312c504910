"""Worst attack and most helpful defence of an evaluation in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from toadstone.records.standings import Defence, Standing
from toadstone.records.trials import Estimate
from toadstone.report.text.formats import format_interval, format_share, listed
from toadstone.report.text.wording import in_words

GOAL_WORDS = {"errors": "test error", "trigger": "triggered rows", "group": "errors in the group"}
"""What the effect of an attack is a share of, by its goal."""

_MOST_NAMES = 3


def standing_sentences(standing: Standing) -> tuple[str, ...]:
    """Say which attack of a goal does most harm, and which defence leaves least, with those within the interval."""
    # Backdoors and groups are measured on test rows of their own.
    goal = GOAL_WORDS.get(standing.goal, GOAL_WORDS["errors"])
    harm = (
        f"{goal[:1].upper()}{goal[1:]}: {standing.worst} does most harm undefended, "
        f"{format_estimate(standing.undefended)} against {format_share(standing.clean.mean)} without it"
    )
    if standing.as_bad:
        harm += f"; within its interval: {first_of(standing.as_bad)}"
    if standing.best is None:
        return (f"{harm}.",)
    average = "" if len(standing.attacks) == 1 else f", averaged over {in_words(len(standing.attacks))} attacks"
    helped = (
        f"{defence_in_words(standing.best)} leaves least{average}: {format_estimate(standing.left)} against "
        f"{format_share(standing.unprotected.mean)} undefended"
    )
    others = tuple(dict.fromkeys(name for name, _ in standing.as_good if name != standing.best[0]))
    if standing.unprotected.mean <= standing.left.mean:
        helped += ", so none is shown to help"
    elif standing.none_as_good:
        helped += "; the seeds cannot tell that from chance, so none is shown to help"
    elif others:
        helped += f"; within its interval: {first_of(others)}"
    return f"{harm}.", f"{helped}."


def defence_in_words(defence: Defence) -> str:
    """Name a defence and the origin of its thresholds.

    Examples
    --------
    >>> defence_in_words(("sever", "own")), defence_in_words(("bagging", ""))
    ('sever by own thresholds', 'bagging')
    """
    name, thresholds = defence
    return f"{name} by {thresholds} thresholds" if thresholds else name


def format_estimate(estimate: Estimate | None) -> str:
    """Write a share with its interval, where it has one; a dash for none.

    Examples
    --------
    >>> format_estimate(Estimate(0.5, 0.42, 0.58, 3)).replace(chr(160), " "), format_estimate(None)
    ('50.0 % (42.0 to 58.0 %)', '-')
    """
    if estimate is None:
        return "-"
    # Seeds that all agree give an interval of no width, which would claim too much.
    if estimate.low is None or estimate.high is None or estimate.low == estimate.high:
        return format_share(estimate.mean)
    return f"{format_share(estimate.mean)} ({format_interval(estimate.low, estimate.high)})"


def first_of(names: Sequence[str]) -> str:
    """Join names; of many, the first three and the number of the others."""
    if len(names) <= _MOST_NAMES + 1:
        return listed(names)
    return listed([*names[:_MOST_NAMES], f"{len(names) - _MOST_NAMES} others"])
