"""Reproductions of figures and tables of papers.

Rules for an experiment:

1. One module for each figure or table. Its function ``run(conditions)`` loads
   the data sets by name and returns a
   `toadstone.experiments.conditions.Measured`. A second function ``measure``
   takes the data and a frozen dataclass of settings (fractions, decoys), so
   that a test can run the same code on a small example.
2. The paper's figures are constants at the top of the module, each a
   `Published` with its origin and accuracy. A figure that was not available
   is None, never a guess.
3. Computations are done by the rooms below: certificates by
   `toadstone.pipeline.certify`, attacks and their evaluation by
   `toadstone.pipeline.attack`, other defenders by
   `toadstone.pipeline.harness.judge`. Code for several experiments is in
   modules without ``run`` (`certified_curve`, `curve_rows`, `protocols`).
4. Long computations call ``conditions.on_stage(words)`` at the start of a
   stage and ``conditions.on_step()`` after each step.
5. Every comparison with a figure of the paper has a reason: the difference
   in method that may explain a difference in the figures.
6. The experiment is listed in `toadstone.experiments.catalogue`, in the order
   of the paper, and tested in ``tests/experiments``: on a small example, that
   the figures come from the run; on the real data, with lower limits.
"""
