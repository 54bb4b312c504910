"""Figures and tables of papers, each a command.

How an experiment is written:

1. One figure or table, one module. Its function ``run(conditions)`` loads the
   data sets by name and returns a `toadstone.experiments.conditions.Measured`;
   a function ``measure`` beside it takes the data as arguments, and a frozen
   dataclass of what may be made smaller (fractions, decoys), so that a test
   can run the very same code on a miniature.
2. The paper's figures are constants at the top of the module, each a
   `Published` with its origin and accuracy. A figure that the stored text
   does not have is None, never a guess.
3. Everything is computed by the rooms below: certificates by
   `toadstone.pipeline.certify`, attacks and their judgement by
   `toadstone.pipeline.attack`, other defenders by `toadstone.pipeline.harness.judge`.
   What several experiments need is a module of this room without ``run``
   (`certified_curve` and `curve_rows`, `attack_errors`).
4. Long work calls ``conditions.on_stage(words)`` as it begins, and
   ``conditions.on_step()`` as it goes.
5. Every comparison with a figure of the paper has a reason: what we do
   otherwise, which is shown where the figures differ.
6. The experiment is entered into `toadstone.experiments.catalogue`, in the order
   of the paper, and tested in ``tests/experiments``: on a miniature, that the
   figures come from the run; on the real data, with floors.
"""
