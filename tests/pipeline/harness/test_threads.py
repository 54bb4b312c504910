"""Threads: one for small work, never more than the container or the user allows, and as before afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
import sklearn.cluster  # noqa: F401 - its OpenMP library must be there to be bounded
from joblib import Parallel, delayed, parallel_config
from threadpoolctl import threadpool_info, threadpool_limits

import toadstone
from toadstone.front.inputs import workers_of
from toadstone.pipeline.harness import threads
from toadstone.pipeline.harness.threads import allow_threads, alone, available_cores, bounded_threads

LARGE = 10_000_000


def allowed(blas: int = 2, openmp: int = 2) -> set[tuple[str, int]]:
    """Numbers of threads that the libraries take: OpenBLAS no more than OPENBLAS_NUM_THREADS was when it was loaded."""
    with threadpool_limits({"blas": blas, "openmp": openmp}):
        return numbers()


def raised(openmp: int = 2) -> set[tuple[str, int]]:
    """Numbers of threads of large work: of BLAS, that of the library which takes fewest."""
    return {("blas", min(number for library, number in allowed() if library == "blas")), ("openmp", openmp)}


def numbers() -> set[tuple[str, int]]:
    return {(library["user_api"], library["num_threads"]) for library in threadpool_info()}


@pytest.fixture
def two_allowed(monkeypatch):
    """A process that has two threads in every library, on a machine of two cores."""
    monkeypatch.setattr(threads, "available_cores", lambda: 2)
    with threadpool_limits(2):
        yield


@pytest.mark.usefixtures("two_allowed")
class TestBounds:
    def test_small_work_has_one_thread_and_afterwards_all_is_as_before(self):
        with bounded_threads():
            assert numbers() == {("blas", 1), ("openmp", 1)}
            allow_threads(20_000)
            assert numbers() == {("blas", 1), ("openmp", 1)}
        assert numbers() == allowed()

    def test_large_work_has_all_cores(self):
        with bounded_threads():
            allow_threads(LARGE)
            assert numbers() == raised()

    def test_no_more_than_the_container_lends(self, monkeypatch):
        monkeypatch.setattr(threads, "available_cores", lambda: 1)
        with bounded_threads():
            allow_threads(LARGE)
            assert numbers() == {("blas", 1), ("openmp", 1)}

    def test_no_more_than_the_user_allows(self):
        with threadpool_limits({"openmp": 1}), bounded_threads():
            allow_threads(LARGE)
            assert numbers() == raised(openmp=1)

    def test_a_context_within_another_changes_nothing(self):
        with bounded_threads():
            allow_threads(LARGE)
            with bounded_threads():
                assert numbers() == raised()
            assert numbers() == raised()

    def test_as_before_after_an_error(self):
        with pytest.raises(RuntimeError), bounded_threads():
            raise RuntimeError
        assert numbers() == allowed()

    def test_nothing_is_allowed_outside(self):
        with threadpool_limits(1):
            allow_threads(LARGE)
            assert numbers() == {("blas", 1), ("openmp", 1)}

    def test_a_task_beside_others_has_one(self):
        with bounded_threads():
            allow_threads(LARGE)
            assert alone(numbers) == {("blas", 1), ("openmp", 1)}
            assert numbers() == raised()

    def test_a_task_in_another_process_has_one(self):
        with parallel_config(backend="loky", inner_max_num_threads=2):
            for task, most in ((threadpool_info, 2), (partial(alone, threadpool_info), 1)):
                seen = Parallel(n_jobs=2)(delayed(task)() for _ in range(2))
                assert max(library["num_threads"] for library in seen[0]) == most

    @pytest.mark.parametrize("rows", [100, 750_000])
    def test_front_door_functions_compute_within_the_bound(self, rows, monkeypatch):
        seen = []
        monkeypatch.setattr("toadstone.front.sanitize.clean_rows", lambda *_, **__: seen.append(numbers()) or blank())
        X = np.ones((rows, 4))
        toadstone.sanitize((X, np.arange(rows) % 2), scale="none")
        assert seen == [raised() if rows > 100 else {("blas", 1), ("openmp", 1)}]
        assert numbers() == allowed()


def blank():
    class Cleaning:
        def summary(self):
            return {}

    return Cleaning()


class TestCores:
    @pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity here")
    def test_affinity_is_respected(self):
        program = (
            "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))});"
            "from toadstone.front.inputs import workers_of; raise SystemExit(workers_of(None))"
        )
        assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 1

    @pytest.mark.parametrize(
        ("files", "cores"),
        [
            ({"/sys/fs/cgroup/cpu.max": "300000 100000"}, 3),
            ({"/sys/fs/cgroup/cpu.max": "50000 100000"}, 1),
            (
                {
                    "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "200000",
                    "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
                },
                2,
            ),
        ],
    )
    def test_the_quota_of_a_container_is_respected(self, files, cores, tmp_path, monkeypatch):
        program = (
            "import builtins, os, sys; files = eval(sys.argv[1]); opened = builtins.open; exists = os.path.exists;"
            "os.path.exists = lambda path: path in files or ('/sys/fs/cgroup' not in str(path) and exists(path));"
            "builtins.open = lambda path, *args, **options: opened(files.get(path, path), *args, **options);"
            "os.cpu_count = lambda: 64; os.sched_getaffinity = lambda _: range(64);"
            "from toadstone.front.inputs import workers_of; raise SystemExit(workers_of(None))"
        )
        stored = {}
        for number, (path, text) in enumerate(files.items()):
            (tmp_path / str(number)).write_text(text)
            stored[path] = str(tmp_path / str(number))
        assert subprocess.run([sys.executable, "-c", program, repr(stored)], check=False).returncode == cores

    def test_workers_by_default_are_the_cores(self):
        assert workers_of(None) == available_cores()
