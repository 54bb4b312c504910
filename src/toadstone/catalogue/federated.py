"""Federated training by name: rules, what comes before them, and the attacks of malicious clients."""

from __future__ import annotations

from toadstone.catalogue.entry import Entry

_ATTACKS = "toadstone.federated.attacks"

_RULES = "toadstone.federated.aggregation"

RULES = {
    "mean": Entry(f"{_RULES}.coordinates:Mean", "The mean: the baseline, which one malicious client moves anywhere."),
    "median": Entry(f"{_RULES}.coordinates:CoordinateMedian", "The median of each coordinate."),
    "trimmed-mean": Entry(
        f"{_RULES}.coordinates:TrimmedMean", "The mean of each coordinate without its f lowest and f highest values."
    ),
    "meamed": Entry(
        f"{_RULES}.coordinates:MeaMed", "The mean of the n - f values of each coordinate nearest to its median."
    ),
    "krum": Entry(f"{_RULES}.selections:Krum", "The update nearest to its n - f - 2 nearest others."),
    "multi-krum": Entry(f"{_RULES}.selections:MultiKrum", "The mean of the n - f - 2 updates of least Krum score."),
    "bulyan": Entry(
        f"{_RULES}.selections:Bulyan", "Krum repeated n - 2f times, then the values nearest to each median."
    ),
    "geometric-median": Entry(
        f"{_RULES}.averages:GeometricMedian", "The point of least sum of distances, to a proven tolerance."
    ),
    "centred-clipping": Entry(
        f"{_RULES}.averages:CentredClipping", "The last aggregate plus the mean of the differences, each clipped."
    ),
    "norm-filter": Entry(
        f"{_RULES}.averages:NormFilter", "The mean of the updates whose norm is near the median norm."
    ),
    "minimum-diameter": Entry(
        f"{_RULES}.selections:MinimumDiameter", "The mean of the n - f updates of least largest distance, exactly."
    ),
    "fltrust": Entry(
        f"{_RULES}.agreement:FLTrust", "Updates weighed by their agreement with that of the server's own rows."
    ),
    "dnc": Entry(
        f"{_RULES}.agreement:DivideAndConquer", "The mean of what sticks out along no first principal direction."
    ),
    "flame": Entry(
        f"{_RULES}.agreement:FLAME", "The largest cluster of angles, clipped to the median norm, with noise."
    ),
}

PREAGGREGATIONS = {
    "nnm": Entry(f"{_RULES}.before:NearestNeighbourMixing", "Each update becomes the mean of its n - f nearest."),
    "arc": Entry(f"{_RULES}.before:AdaptiveClipping", "The largest norms are clipped to the next below."),
    "bucketing": Entry(f"{_RULES}.before:Bucketing", "Updates are drawn into buckets, whose means take their place."),
    "clipping": Entry(f"{_RULES}.before:StaticClipping", "Updates are clipped to a norm, by default the median norm."),
}

CLIENT_ATTACKS = {
    "sign-flip": Entry(f"{_ATTACKS}.sign_flip:SignFlip", "Updates of the opposite sign, scaled.", goal="errors"),
    "label-flip": Entry(
        f"{_ATTACKS}.label_flip:LabelFlip", "Updates trained on labels in reverse order.", goal="errors"
    ),
    "gaussian": Entry(f"{_ATTACKS}.gaussian:GaussianNoise", "Normal noise instead of updates.", goal="errors"),
    "alie": Entry(
        f"{_ATTACKS}.little_is_enough:LittleIsEnough",
        "Updates a few deviations off the honest mean, within the honest spread.",
        goal="errors",
    ),
    "ipm": Entry(f"{_ATTACKS}.inner_product:InnerProduct", "A negative multiple of the honest mean.", goal="errors"),
    "mimic": Entry(
        f"{_ATTACKS}.mimic:Mimic", "Copies of one honest client, whose data then count too much.", goal="errors"
    ),
    "min-max": Entry(
        f"{_ATTACKS}.min_max:MinMax",
        "As far from the honest mean as no distance to an honest update tells.",
        goal="errors",
    ),
    "min-sum": Entry(
        f"{_ATTACKS}.min_max:MinSum",
        "As far from the honest mean as no sum of squared distances tells.",
        goal="errors",
    ),
    "model-replacement": Entry(
        f"{_ATTACKS}.backdoors.model_replacement:ModelReplacement",
        "A backdoor, scaled so that the mean of all updates is the model with it.",
        goal="trigger",
    ),
    "constrain-and-scale": Entry(
        f"{_ATTACKS}.backdoors.constrain_and_scale:ConstrainAndScale",
        "A backdoor mixed with the honest mean, of no larger norm than honest updates.",
        goal="trigger",
    ),
    "neurotoxin": Entry(
        f"{_ATTACKS}.backdoors.neurotoxin:Neurotoxin",
        "A backdoor on the coordinates that honest clients hardly move.",
        goal="trigger",
    ),
    "distributed-trigger": Entry(
        f"{_ATTACKS}.backdoors.distributed_trigger:DistributedTrigger",
        "A backdoor of whose trigger each malicious client learns a part.",
        goal="trigger",
    ),
    "sleeper": Entry(
        f"{_ATTACKS}.sleeper:Sleeper", "Honest for half of the rounds, then updates turned round.", goal="errors"
    ),
    "garbage": Entry(
        f"{_ATTACKS}.garbage:Garbage",
        "Messages that are not finite, of 1e30, too short, empty, missing or doubled: by turns, one kind a client.",
        goal="errors",
    ),
    "adaptive-alie": Entry(
        f"{_ATTACKS}.little_is_enough:AdaptiveLittleIsEnough",
        "ALIE whose strength is searched through the server's rule.",
        goal="errors",
    ),
    "adaptive-ipm": Entry(
        f"{_ATTACKS}.inner_product:AdaptiveInnerProduct",
        "IPM whose strength is searched through the server's rule.",
        goal="errors",
    ),
    "adaptive-min-max": Entry(
        f"{_ATTACKS}.min_max:AdaptiveMinMax",
        "Min-max whose strength is searched through the server's rule.",
        goal="errors",
    ),
}
