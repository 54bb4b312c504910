"""A run that should end: finished steps are reported, the others are named, and nothing is decided on them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from toadstone.core.dataset import Dataset
from toadstone.core.errors import InvalidArgument
from toadstone.datasets.split import Split
from toadstone.pipeline.audit import audit, best_cell
from toadstone.pipeline.audit_plan import AuditPlan
from toadstone.pipeline.defend import DefencePlan, defend
from toadstone.pipeline.evaluation.plan import EvaluationPlan, prepare
from toadstone.pipeline.evaluation.run import run_evaluation
from toadstone.pipeline.harness.clock import UNLIMITED, Clock, Deadline
from toadstone.pipeline.scan import ScanPlan, late_parts, scan
from toadstone.pipeline.trials.journal import Journal, late_trials
from toadstone.records.audit import NO_ATTACK
from toadstone.records.trials import Trial

DETECTORS = ("mahalanobis", "spectral", "label-errors")


@dataclass(frozen=True)
class After(Deadline):
    """Passes after it has been looked at some times."""

    looks: int = 0
    seen: list[int] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        self.seen.append(1)
        return len(self.seen) > self.looks


@pytest.fixture(scope="module")
def split():
    rng = np.random.default_rng(0)
    y = np.tile(["ham", "spam"], 80)
    X = rng.normal(size=(160, 3)) + 1.0 * (y == "spam")[:, None]
    return Split("rows", Dataset(X[:120], y[:120]), Dataset(X[120:], y[120:]), "published", "the last 40")


class TestTheMoment:
    @pytest.mark.parametrize("seconds", [0, -1.0, np.nan, np.inf])
    def test_seconds_out_of_range(self, seconds):
        with pytest.raises(InvalidArgument, match="`max_seconds`: expected a positive number"):
            Deadline(seconds)

    def test_it_passes(self):
        assert Deadline(1e-9).passed
        assert not Deadline(1e6).passed
        assert not UNLIMITED.passed

    def test_parts_of_a_stage_add_up(self):
        clock = Clock(lambda name: None)
        with clock.stage("one"):
            pass
        clock.seconds["one"] += 100
        with clock.stage("one"):
            pass
        assert clock.seconds["one"] >= 100


class TestScan:
    def test_detectors_without_time_are_skipped_and_the_others_are_as_always(self, split):
        whole, _ = scan(split, ScanPlan(DETECTORS))
        # The checks of the table look at the clock too.
        deadline = After(5.0, looks=3)
        part, _ = scan(split, ScanPlan(DETECTORS), deadline=deadline)
        assert part.detectors["label-errors"].skipped == "the 5 seconds of --max-seconds were over"
        for name in DETECTORS[:2]:
            assert part.detectors[name].flagged == whole.detectors[name].flagged
            assert not part.detectors[name].skipped
        assert late_parts(part, deadline).startswith("the 5 seconds of --max-seconds were over: 1 of 3 detectors")
        assert late_parts(whole, deadline) == ""

    def test_without_any_time_nothing_is_flagged_and_all_are_skipped(self, split):
        deadline = After(5.0)
        found, scores = scan(split, ScanPlan(("verdict", *DETECTORS)), deadline=deadline)
        assert all(report.skipped for report in (found.verdict, *found.detectors.values()))
        assert (found.rows, found.findings) == ((), ())
        assert not scores.listed.any()
        said = "the verdict, the checks of the table and 3 of 3 detectors did not run"
        assert said in late_parts(found, deadline)


class TestDefend:
    def test_without_time_accuracies_are_not_measured_and_the_rest_is_as_always(self, split, listing):
        listing(1, 2)
        deadline = After(5.0, looks=1)
        found, whole = (defend(split, DefencePlan(), deadline=limit) for limit in (deadline, UNLIMITED))
        assert "the accuracy was not measured" in found.unfinished
        assert whole.unfinished == ""
        assert found.record.removals == whole.record.removals
        assert found.record.measurements == () != whole.record.measurements

    def test_without_any_time_it_is_refused(self, split, listing):
        listing(1)
        with pytest.raises(InvalidArgument, match="`max_seconds`: expected enough for the verdict"):
            defend(split, DefencePlan(), deadline=After(5.0))


class TestAudit:
    PLAN = AuditPlan(0.1, attacks=("label-flip", "random-flip"), defences=("l2", "slab", "loss", "svd", "knn"))

    def test_attacks_without_time_are_left_out(self, split):
        certificates = len(self.PLAN.fractions)
        whole = audit(split, self.PLAN)
        part = audit(split, self.PLAN, deadline=After(5.0, looks=certificates + 1))
        assert {cell.attack for cell in part.record.evaluations} == {NO_ATTACK, "collapse"}
        assert part.record.headline.bound == whole.record.headline.bound
        assert "attacks label-flip, random-flip were not tried; the result is undecided" in part.unfinished
        assert part.unfinished in part.record.not_promised[-1]
        assert best_cell(part.record.evaluations).test_error <= best_cell(whole.record.evaluations).test_error
        assert whole.unfinished == ""

    def test_an_attack_that_met_some_defences_only_is_left_out(self, split):
        searched = len(self.PLAN.fractions) + 1 + len(self.PLAN.attacks)
        part = audit(split, self.PLAN, deadline=After(5.0, looks=searched + 3))
        sanitizers = {cell.sanitizer for cell in part.record.evaluations}
        assert len(part.record.evaluations) % len(sanitizers) == 0
        assert "label-flip" in part.unfinished

    @pytest.mark.parametrize("looks", [0, 3])
    def test_without_certificates_there_is_nothing_to_say(self, split, looks):
        with pytest.raises(InvalidArgument, match=r"`max_seconds`: expected enough for the certificates .* got 5"):
            audit(split, self.PLAN, deadline=After(5.0, looks=looks))


class TestEvaluate:
    PLAN = EvaluationPlan(attacks=("random-flip",), defences=("mahalanobis", "label-errors"), seeds=2)

    def test_finished_trials_are_kept_and_a_later_run_goes_on(self, split, tmp_path):
        setup = prepare(split, self.PLAN)
        whole = run_evaluation(setup)
        deadline = After(5.0, looks=6)
        with Journal(tmp_path / "out", setup.digest, trial=Trial, run="evaluation") as journal:
            part = run_evaluation(setup, journal=journal, deadline=deadline)
        late = [trial for trial in part.trials if trial.skipped == deadline.reason]
        assert 0 < len(late) < len(part.trials)
        assert f"{len(late)} of {len(part.trials)} trials did not run" in late_trials(part.trials, deadline)
        with Journal(tmp_path / "out", setup.digest, trial=Trial, run="evaluation") as journal:
            assert len(journal.trials) == len(part.trials) - len(late)
            resumed = run_evaluation(setup, journal=journal)
        assert [(trial.attack, trial.wrong_rows) for trial in resumed.trials] == [
            (trial.attack, trial.wrong_rows) for trial in whole.trials
        ]
        assert late_trials(resumed.trials, deadline) == ""
