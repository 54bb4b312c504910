"""Federated training by name: the attacks of malicious clients."""

from __future__ import annotations

from toadstone.catalogue.entry import Entry

_ATTACKS = "toadstone.federated.attacks"

CLIENT_ATTACKS = {
    "sign-flip": Entry(f"{_ATTACKS}.sign_flip:SignFlip", "Updates of the opposite sign, scaled.", ("send",), "errors"),
    "label-flip": Entry(
        f"{_ATTACKS}.label_flip:LabelFlip", "Updates trained on labels in reverse order.", ("send",), "errors"
    ),
    "gaussian": Entry(f"{_ATTACKS}.gaussian:GaussianNoise", "Normal noise instead of updates.", ("send",), "errors"),
    "alie": Entry(
        f"{_ATTACKS}.little_is_enough:LittleIsEnough",
        "Updates a few deviations off the honest mean, within the honest spread.",
        ("send",),
        "errors",
    ),
    "ipm": Entry(
        f"{_ATTACKS}.inner_product:InnerProduct", "A negative multiple of the honest mean.", ("send",), "errors"
    ),
    "mimic": Entry(
        f"{_ATTACKS}.mimic:Mimic", "Copies of one honest client, whose data then count too much.", ("send",), "errors"
    ),
    "min-max": Entry(
        f"{_ATTACKS}.min_max:MinMax",
        "As far from the honest mean as no distance to an honest update tells.",
        ("send",),
        "errors",
    ),
    "min-sum": Entry(
        f"{_ATTACKS}.min_max:MinSum",
        "As far from the honest mean as no sum of squared distances tells.",
        ("send",),
        "errors",
    ),
    "model-replacement": Entry(
        f"{_ATTACKS}.backdoors.model_replacement:ModelReplacement",
        "A backdoor, scaled so that the mean of all updates is the model with it.",
        ("send",),
        "trigger",
    ),
    "constrain-and-scale": Entry(
        f"{_ATTACKS}.backdoors.constrain_and_scale:ConstrainAndScale",
        "A backdoor mixed with the honest mean, of no larger norm than honest updates.",
        ("send",),
        "trigger",
    ),
    "neurotoxin": Entry(
        f"{_ATTACKS}.backdoors.neurotoxin:Neurotoxin",
        "A backdoor on the coordinates that honest clients hardly move.",
        ("send",),
        "trigger",
    ),
    "distributed-trigger": Entry(
        f"{_ATTACKS}.backdoors.distributed_trigger:DistributedTrigger",
        "A backdoor of whose trigger each malicious client learns a part.",
        ("send",),
        "trigger",
    ),
    "sleeper": Entry(
        f"{_ATTACKS}.sleeper:Sleeper", "Honest for half of the rounds, then updates turned round.", ("send",), "errors"
    ),
    "garbage": Entry(
        f"{_ATTACKS}.garbage:Garbage", "Messages that are not finite, too short, empty or missing.", ("send",), "errors"
    ),
    "adaptive-alie": Entry(
        f"{_ATTACKS}.little_is_enough:AdaptiveLittleIsEnough",
        "ALIE whose strength is searched through the server's rule.",
        ("send",),
        "errors",
    ),
    "adaptive-ipm": Entry(
        f"{_ATTACKS}.inner_product:AdaptiveInnerProduct",
        "IPM whose strength is searched through the server's rule.",
        ("send",),
        "errors",
    ),
    "adaptive-min-max": Entry(
        f"{_ATTACKS}.min_max:AdaptiveMinMax",
        "Min-max whose strength is searched through the server's rule.",
        ("send",),
        "errors",
    ),
}
