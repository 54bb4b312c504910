"""The vote in trusted features: its price, copies in training from scratch, and attackers who know it.

    python benchmarks/feature_vote.py price copies knowing > docs/results/feature_vote.md

CIFAR-10, with the published ResNet-20 as the trusted network (TOADSTONE_DATA). Ten minutes of one core.
"""

from __future__ import annotations

import argparse
import os
from functools import partial
from pathlib import Path

import torch
from timing import table
from torch import Tensor

from toadstone.deep import (
    EPIC,
    BullseyePolytope,
    DeepKNN,
    ResNet,
    Schedule,
    TrainingConfig,
    activations,
    head_gradients,
    load_images,
    logits,
    train,
)
from toadstone.deep.trials.run_trial import FixedRows
from toadstone.deep.trials.transfer_setting import new_head, published_body
from toadstone.detectors import ActivationClustering, FeatureVote

WEIGHTS = Path(os.environ.get("TOADSTONE_DATA", ".")) / "cifar10_resnet20.npz"
HEAD = "linear"
HEADS = TrainingConfig(epochs=40, learning_rate=0.03, milestones=(25, 35))
SCRATCH = TrainingConfig(
    epochs=12, learning_rate=0.2, schedule="one-cycle", augmentation="flip-crop", precision="bfloat16"
)
SMALL = partial(ResNet, (1, 1, 1))


def flagged(features: Tensor, labels: Tensor) -> Tensor:
    """Rows that the vote flags."""
    return torch.from_numpy(FeatureVote().fit(features.double().numpy(), labels.numpy()).flagged_indices_)


def outvoted(features: Tensor, labels: Tensor, neighbours: int) -> Tensor:
    """Rows that deep k-NN drops."""
    return DeepKNN(neighbours=neighbours)(features, labels).dropped


def left(count: int, dropped: Tensor) -> Tensor:
    """The other rows."""
    stays = torch.ones(count, dtype=torch.bool)
    stays[dropped] = False
    return stays.nonzero()[:, 0]


def price() -> str:
    """Share of clean rows that the votes drop, by number of rows; the images are unseen by the network."""
    images, labels = load_images("cifar10", "test")
    features = activations(published_body(WEIGHTS), HEAD, images)
    rows = []
    for count in (1_000, 2_500, 5_000, 10_000):
        order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(count))[:count]
        part = features[order], labels[order]
        shares = [len(drop) / count for drop in (flagged(*part), outvoted(*part, count // 10))]
        rows.append([f"{count:,}", *(f"{100 * share:.1f} %" for share in shares)])
    return table(["clean rows, not seen by the network", "feature vote", "deep k-NN"], rows)


def copies() -> str:
    """Twenty-five noisy copies of each of ten targets under a wrong label, in training from scratch."""
    train_set, test_set = load_images("cifar10", "train", count=9_750), load_images("cifar10", "test")
    generator = torch.Generator().manual_seed(7)
    targets = torch.randperm(2_000, generator=generator)[:10]
    wanted = (test_set[1][targets] + torch.randint(1, 10, (10,), generator=generator)) % 10
    shown = test_set[0][targets].repeat_interleave(25, dim=0).int()
    noise = torch.randint(-8, 9, shown.shape, generator=generator)
    images = torch.cat([train_set[0], (shown + noise).clamp(0, 255).byte()])
    labels = torch.cat([train_set[1], wanted.repeat_interleave(25)])
    trusted = activations(published_body(WEIGHTS), HEAD, images)
    undefended = SMALL(seed=0)
    train(undefended, images, labels, SCRATCH, seed=0)
    own = activations(undefended, HEAD, images)
    epic = EPIC(
        labels,
        Schedule(fraction=0.2, warm_up=3, last_epoch=8),
        partial(head_gradients, images=images, labels=labels, precision="bfloat16"),
    )
    clusters = ActivationClustering().fit(own.double().numpy(), labels.numpy()).flagged_indices_
    ways = {
        "none": None,
        "EPIC-0.2": epic,
        "deep k-NN 251, own features": FixedRows(left(len(labels), outvoted(own, labels, 251))),
        "activation clustering, own features": FixedRows(left(len(labels), torch.from_numpy(clusters))),
        "deep k-NN 251, trusted features": FixedRows(left(len(labels), outvoted(trusted, labels, 251))),
        "feature vote, trusted features": FixedRows(left(len(labels), flagged(trusted, labels))),
    }
    rows = []
    for name, way in ways.items():
        model = undefended
        if way is not None:
            model = SMALL(seed=0)
            train(model, images, labels, SCRATCH, seed=0, watcher=way)
        kept = torch.arange(len(labels)) if way is None else way.rows.cpu()
        poison, clean = 250 - int((kept >= 9_750).sum()), 9_750 - int((kept < 9_750).sum())
        hit = int((logits(model, test_set[0][targets]).argmax(dim=1) == wanted).sum())
        right = float((logits(model, test_set[0]).argmax(dim=1) == test_set[1]).double().mean())
        rows.append([name, f"{hit} of 10", f"{poison} of 250", f"{100 * clean / 9_750:.1f} %", f"{100 * right:.1f}"])
    return table(["defence", "targets hit", "copies dropped", "clean rows dropped", "accuracy"], rows)


def knowing() -> str:
    """The twenty test images with the smallest margin; new head."""
    images, labels = load_images("cifar10", "test")
    body = published_body(WEIGHTS)
    features = activations(body, HEAD, images)
    rows = torch.arange(2_500)
    clean = new_head(0, width=64, classes=10)
    train(clean, features[rows], labels[rows], HEADS, seed=0)
    tested = torch.arange(2_500, 10_000)
    scores = logits(clean, features[tested])
    right = scores.argmax(dim=1) == labels[tested]
    second = scores.scatter(1, labels[tested][:, None], -torch.inf)
    margin = scores.gather(1, labels[tested][:, None])[:, 0] - second.max(dim=1).values
    near = tested[right][margin[right].argsort()[:20]]
    wanted = second.argmax(dim=1)[near - 2_500]
    generator = torch.Generator().manual_seed(0)
    bases = torch.stack([_bases(labels[rows], int(label), generator) for label in wanted])
    crafted = BullseyePolytope(radius=8, steps=40).craft(
        [body], HEAD, images[bases], images[near].float() / 255, generator=generator
    )
    ways = ("none", "EPIC-0.2", "deep k-NN 251", "feature vote")
    hits = dict.fromkeys(("no poison", *ways), 0)
    dropped = dict.fromkeys(ways, 0)
    for place, target in enumerate(near):
        changed = features[rows].clone()
        changed[bases[place]] = activations(body, HEAD, crafted[place])
        hits["no poison"] += int(logits(clean, features[target][None]).argmax() == wanted[place])
        for way in ways:
            kept, model = _head(changed, labels[rows], way)
            hits[way] += int(logits(model, features[target][None]).argmax() == wanted[place])
            dropped[way] += 25 - int(torch.isin(bases[place], kept).sum())
    shown = [[way, f"{hits[way]} of 20", f"{100 * dropped.get(way, 0) / 500:.0f} %"] for way in hits]
    return table(["defence", "targets hit", "poison dropped"], shown)


def _bases(labels: Tensor, label: int, generator: torch.Generator) -> Tensor:
    own = (labels == label).nonzero()[:, 0]
    return own[torch.randperm(len(own), generator=generator)[:25]]


def _head(features: Tensor, labels: Tensor, way: str) -> tuple[Tensor, torch.nn.Module]:
    """Train a head behind a defence; also return the rows that it kept."""
    watcher: EPIC | FixedRows | None = None
    if way == "EPIC-0.2":
        gradients = partial(head_gradients, images=features, labels=labels)
        watcher = EPIC(labels, Schedule(fraction=0.2, warm_up=1, last_epoch=10), gradients)
    elif way == "deep k-NN 251":
        watcher = FixedRows(left(len(labels), outvoted(features, labels, 250)))
    elif way == "feature vote":
        watcher = FixedRows(left(len(labels), flagged(features, labels)))
    model = new_head(0, width=64, classes=10)
    train(model, features, labels, HEADS, seed=0, watcher=watcher)
    return (torch.arange(len(labels)) if watcher is None else watcher.rows.cpu()), model


PARTS = {
    "price": ("Clean rows dropped", price),
    "copies": ("Wrong-label copies, from scratch", copies),
    "knowing": ("Targets at the boundary of the intended class", knowing),
}


def main() -> None:
    """Print the parts that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="+", choices=list(PARTS))
    torch.set_num_threads(1)
    print("# The vote in trusted features\n\nBy `python benchmarks/feature_vote.py price copies knowing`.")
    for part in parser.parse_args().parts:
        title, measure = PARTS[part]
        print(f"\n## {title}\n\n{measure.__doc__}\n\n{measure()}", flush=True)


if __name__ == "__main__":
    main()
