"""Neural networks: attacks, defences and training. Needs PyTorch, the extra ``deep``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toadstone.core.errors import missing_extra
from toadstone.core.lazy import lazy_exports

try:
    import torch  # noqa: F401
except ModuleNotFoundError as missing:
    if missing.name != "torch":
        raise
    raise ModuleNotFoundError(f"toadstone.deep {missing_extra('deep', 'PyTorch')}", name="torch") from None

if TYPE_CHECKING:
    from toadstone.deep.attacks.badnets import PoisonedImages, VisibleBackdoor
    from toadstone.deep.attacks.bullseye_polytope import BullseyePolytope
    from toadstone.deep.attacks.convex_polytope import ConvexPolytope
    from toadstone.deep.attacks.feature_collision import FeatureCollision
    from toadstone.deep.attacks.gradient_matching import GradientMatching
    from toadstone.deep.attacks.hidden_trigger import HiddenTrigger
    from toadstone.deep.attacks.label_consistent import LabelConsistentBackdoor
    from toadstone.deep.attacks.sleeper_agent import SleeperAgent, strongest_bases
    from toadstone.deep.attacks.triggers import stamp
    from toadstone.deep.defences.deep_knn import DeepKNN, MedoidVote, VoteResult
    from toadstone.deep.defences.epic import EPIC, ActiveRows, Drop
    from toadstone.deep.defences.epic_lightning import epic_callback
    from toadstone.deep.defences.epic_schedule import Schedule
    from toadstone.deep.defences.epic_trainer import epic_trainer
    from toadstone.deep.defences.fine_pruning import Pruning, fine_prune
    from toadstone.deep.defences.isolated_medoids import Selection, drop_isolated
    from toadstone.deep.defences.neural_cleanse import BackdoorScan, Inversion, NeuralCleanse, scan_for_backdoors
    from toadstone.deep.defences.strip import StripScan, strip
    from toadstone.deep.defences.torch_medoids import Drawn, Exponential, InParts, Sampled, exact_medoids
    from toadstone.deep.estimators.network_classifier import NetworkClassifier
    from toadstone.deep.inspection.found_trigger import FoundTrigger
    from toadstone.deep.inspection.inspect_network import Inspection, LabelSearch, NetworkInspection, inspect_network
    from toadstone.deep.inspection.repair import Repair, Unlearning, repair
    from toadstone.deep.inspection.smallest_shift import ShiftSearch
    from toadstone.deep.tensors.augmentation import flip_crop, flip_shift
    from toadstone.deep.tensors.checkpoints import load_arrays, load_weights, save_weights
    from toadstone.deep.tensors.factories import load_network, load_state
    from toadstone.deep.tensors.features import activations, head_gradients, logits
    from toadstone.deep.tensors.images import from_arrays, load_images
    from toadstone.deep.tensors.networks import Normalise, ResNet, SmallCNN, resnet8, resnet18, resnet20
    from toadstone.deep.training.client_network import ClientNetwork
    from toadstone.deep.training.dp_sgd import PrivateTrainingConfig, noise_for, privacy_epsilon, train_privately
    from toadstone.deep.training.hyperparameters import TrainingConfig
    from toadstone.deep.training.loop import Objective, Watcher, train
    from toadstone.deep.training.per_sample_gradients import per_sample_gradients
    from toadstone.deep.training.progress import Checkpoint, History
    from toadstone.deep.training.sharpness_aware import SharpnessAware
    from toadstone.deep.training.trades import Trades
    from toadstone.deep.training.trimmed_loss import TrimmedLoss

__all__ = [
    "EPIC",
    "ActiveRows",
    "BackdoorScan",
    "BullseyePolytope",
    "Checkpoint",
    "ClientNetwork",
    "ConvexPolytope",
    "DeepKNN",
    "Drawn",
    "Drop",
    "Exponential",
    "FeatureCollision",
    "FoundTrigger",
    "GradientMatching",
    "HiddenTrigger",
    "History",
    "InParts",
    "Inspection",
    "Inversion",
    "LabelConsistentBackdoor",
    "LabelSearch",
    "MedoidVote",
    "NetworkClassifier",
    "NetworkInspection",
    "NeuralCleanse",
    "Normalise",
    "Objective",
    "PoisonedImages",
    "PrivateTrainingConfig",
    "Pruning",
    "Repair",
    "ResNet",
    "Sampled",
    "Schedule",
    "Selection",
    "SharpnessAware",
    "ShiftSearch",
    "SleeperAgent",
    "SmallCNN",
    "StripScan",
    "Trades",
    "TrainingConfig",
    "TrimmedLoss",
    "Unlearning",
    "VisibleBackdoor",
    "VoteResult",
    "Watcher",
    "activations",
    "drop_isolated",
    "epic_callback",
    "epic_trainer",
    "exact_medoids",
    "fine_prune",
    "flip_crop",
    "flip_shift",
    "from_arrays",
    "head_gradients",
    "inspect_network",
    "load_arrays",
    "load_images",
    "load_network",
    "load_state",
    "load_weights",
    "logits",
    "noise_for",
    "per_sample_gradients",
    "privacy_epsilon",
    "repair",
    "resnet8",
    "resnet18",
    "resnet20",
    "save_weights",
    "scan_for_backdoors",
    "stamp",
    "strip",
    "strongest_bases",
    "train",
    "train_privately",
]

__getattr__, __dir__ = lazy_exports(
    __name__,
    {
        "ActiveRows": "defences.epic",
        "BackdoorScan": "defences.neural_cleanse",
        "BullseyePolytope": "attacks.bullseye_polytope",
        "Checkpoint": "training.progress",
        "ClientNetwork": "training.client_network",
        "ConvexPolytope": "attacks.convex_polytope",
        "DeepKNN": "defences.deep_knn",
        "Drawn": "defences.torch_medoids",
        "Drop": "defences.epic",
        "EPIC": "defences.epic",
        "Exponential": "defences.torch_medoids",
        "FeatureCollision": "attacks.feature_collision",
        "FoundTrigger": "inspection.found_trigger",
        "GradientMatching": "attacks.gradient_matching",
        "HiddenTrigger": "attacks.hidden_trigger",
        "History": "training.progress",
        "InParts": "defences.torch_medoids",
        "Inspection": "inspection.inspect_network",
        "Inversion": "defences.neural_cleanse",
        "LabelConsistentBackdoor": "attacks.label_consistent",
        "LabelSearch": "inspection.inspect_network",
        "MedoidVote": "defences.deep_knn",
        "NetworkClassifier": "estimators.network_classifier",
        "NetworkInspection": "inspection.inspect_network",
        "NeuralCleanse": "defences.neural_cleanse",
        "Normalise": "tensors.networks",
        "Objective": "training.loop",
        "PoisonedImages": "attacks.badnets",
        "PrivateTrainingConfig": "training.dp_sgd",
        "Pruning": "defences.fine_pruning",
        "Repair": "inspection.repair",
        "ResNet": "tensors.networks",
        "Sampled": "defences.torch_medoids",
        "Schedule": "defences.epic_schedule",
        "Selection": "defences.isolated_medoids",
        "SharpnessAware": "training.sharpness_aware",
        "ShiftSearch": "inspection.smallest_shift",
        "SleeperAgent": "attacks.sleeper_agent",
        "SmallCNN": "tensors.networks",
        "StripScan": "defences.strip",
        "Trades": "training.trades",
        "TrainingConfig": "training.hyperparameters",
        "TrimmedLoss": "training.trimmed_loss",
        "Unlearning": "inspection.repair",
        "VisibleBackdoor": "attacks.badnets",
        "VoteResult": "defences.deep_knn",
        "Watcher": "training.loop",
        "activations": "tensors.features",
        "drop_isolated": "defences.isolated_medoids",
        "epic_callback": "defences.epic_lightning",
        "epic_trainer": "defences.epic_trainer",
        "exact_medoids": "defences.torch_medoids",
        "fine_prune": "defences.fine_pruning",
        "flip_crop": "tensors.augmentation",
        "flip_shift": "tensors.augmentation",
        "from_arrays": "tensors.images",
        "head_gradients": "tensors.features",
        "inspect_network": "inspection.inspect_network",
        "load_arrays": "tensors.checkpoints",
        "load_images": "tensors.images",
        "load_network": "tensors.factories",
        "load_state": "tensors.factories",
        "load_weights": "tensors.checkpoints",
        "logits": "tensors.features",
        "noise_for": "training.dp_sgd",
        "per_sample_gradients": "training.per_sample_gradients",
        "privacy_epsilon": "training.dp_sgd",
        "repair": "inspection.repair",
        "resnet18": "tensors.networks",
        "resnet20": "tensors.networks",
        "resnet8": "tensors.networks",
        "save_weights": "tensors.checkpoints",
        "scan_for_backdoors": "defences.neural_cleanse",
        "stamp": "attacks.triggers",
        "strip": "defences.strip",
        "strongest_bases": "attacks.sleeper_agent",
        "train": "training.loop",
        "train_privately": "training.dp_sgd",
    },
)
