"""The catalogue of public data sets."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Original:
    """Public files of a data set, their checksums and their parser.

    Parameters
    ----------
    urls : tuple of str
    checksums : tuple of str or None
        One for each file, as "md5:..." or "sha256:..."; None where none is
        published, so that the parsed content is checked instead.
    parser : str
        Name of a function of `toadstone.datasets.catalogue.originals`.
    """

    urls: tuple[str, ...]
    checksums: tuple[str | None, ...]
    parser: str


@dataclass(frozen=True)
class Entry:
    """Catalogue entry of a public data set.

    Parameters
    ----------
    name, title : str
    rows, test_rows, features : int
        Training rows, test rows and columns. Where no test set is published,
        the counts are for the default test share.
    origin : str
        Web address of the publication.
    licence, citation : str
    ridge : float or None
        Published L2 penalty: the weight of half the squared norm, bias
        included, against the mean loss (Koh, Steinhardt and Liang 2022).
    norm_squared : float or None
        Published bound on the squared norm (Steinhardt, Koh and Liang 2017).
    domain : str
        ``"real"``, ``"box"`` or ``"integer"``.
    test_origin : str or None
        Source of the test rows, in words; None where test rows are held out
        at random.
    reader : str
        Module and function that prepare the rows, as "module:function".
    file : str or None
        Archive in the data folder or the cache; None if it ships with
        scikit-learn.
    classes : tuple of str or None
        Labels to keep.
    original : Original or None
        Files to download; None if there are none.
    sha256 : tuple of str or None
        Digests of the training and the test set; None where a download may
        differ.
    beside : tuple of str
        Columns that say who a row is from; the one that a request names is no feature.
    """

    name: str
    title: str
    rows: int
    test_rows: int
    features: int
    origin: str
    licence: str
    citation: str
    domain: str
    reader: str = "readers.formats.arrays:read_split"
    ridge: float | None = None
    norm_squared: float | None = None
    test_origin: str | None = "published test split"
    file: str | None = None
    classes: tuple[str, ...] | None = None
    original: Original | None = None
    sha256: tuple[str, str] | None = None
    beside: tuple[str, ...] = ()


_UCI = "https://archive.ics.uci.edu/ml/machine-learning-databases"
_MNIST = "https://ossci-datasets.s3.amazonaws.com/mnist"
_MNIST_CITATION = "LeCun, Bottou, Bengio and Haffner, Gradient-based learning applied to document recognition, 1998"

_MNIST_FILES = Original(
    urls=(
        f"{_MNIST}/train-images-idx3-ubyte.gz",
        f"{_MNIST}/train-labels-idx1-ubyte.gz",
        f"{_MNIST}/t10k-images-idx3-ubyte.gz",
        f"{_MNIST}/t10k-labels-idx1-ubyte.gz",
    ),
    checksums=(
        "md5:f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "md5:d53e105ee54ea40749a09fcbcd1e9432",
        "md5:9fb629c4189551a2d022fa330f9573f3",
        "md5:ec29112dd5afa0611ce80d1b7f02629c",
    ),
    parser="parse_mnist",
)

_PNEUMONIA_FILES = Original(
    urls=("https://zenodo.org/records/10519652/files/pneumoniamnist.npz?download=1",),
    checksums=("md5:28209eda62fecd6e6a2d98b1501bb15f",),
    parser="parse_pneumonia",
)
_PNEUMONIA_CITATION = "Yang et al., MedMNIST v2, 2023; Kermany et al., Identifying medical diagnoses, 2018"

ENTRIES = (
    Entry(
        name="digits-1-7",
        title="Handwritten digits of 8 x 8 pixels, 1 against 7",
        rows=289,
        test_rows=72,
        features=64,
        origin="https://archive.ics.uci.edu/dataset/80",
        licence="CC BY 4.0",
        citation="Alpaydin and Kaynak, Optical recognition of handwritten digits, UCI, 1998",
        domain="box",
        reader="catalogue.embedded:read_digits",
        test_origin=None,
        classes=("1", "7"),
    ),
    Entry(
        name="breast-cancer",
        title="Measurements of cell nuclei, malignant against benign",
        rows=456,
        test_rows=113,
        features=30,
        origin="https://archive.ics.uci.edu/dataset/17",
        licence="CC BY 4.0",
        citation="Street, Wolberg and Mangasarian, Nuclear feature extraction for breast tumor diagnosis, 1993",
        domain="real",
        reader="catalogue.embedded:read_breast_cancer",
        test_origin=None,
    ),
    Entry(
        name="mnist-1-7",
        title="Handwritten digits of 28 x 28 pixels, 1 against 7",
        rows=13007,
        test_rows=2163,
        features=784,
        origin=_MNIST,
        licence="CC BY-SA 3.0",
        citation=_MNIST_CITATION,
        domain="box",
        ridge=0.01,
        norm_squared=0.8,
        file="mnist.npz",
        classes=("1", "7"),
        original=_MNIST_FILES,
        sha256=(
            "bad7b1763a1ba89033019630b713e37d50c2eb9c7b1e50044e0cafe4356bb261",
            "5182802208bfa3e97265402cb8e10725696caf0636607b79240693a0a3014240",
        ),
    ),
    Entry(
        name="mnist",
        title="Handwritten digits of 28 x 28 pixels, ten classes",
        rows=60000,
        test_rows=10000,
        features=784,
        origin=_MNIST,
        licence="CC BY-SA 3.0",
        citation=_MNIST_CITATION,
        domain="box",
        file="mnist.npz",
        original=_MNIST_FILES,
        sha256=(
            "a1ecfafd13a46b786ce2257099c96f03335668f0eb8a6145141888fd0e47774b",
            "4c9ee4e4b7c61f70e0f2ab3bb863e796622eda584f53147f80c220d566c9f1c2",
        ),
    ),
    Entry(
        name="enron",
        title="Counts of words in mails, spam (+1) against ham (-1)",
        rows=4137,
        test_rows=1035,
        features=5116,
        origin="https://github.com/hoonose/sever",
        licence="none stated",
        citation="Metsis, Androutsopoulos and Paliouras, Spam filtering with naive Bayes, 2006; "
        "features of Diakonikolas et al., Sever, 2019",
        domain="integer",
        ridge=0.09,
        norm_squared=6.0,
        file="enron.npz",
        original=Original(
            urls=(
                "https://raw.githubusercontent.com/hoonose/sever/4ade68a4ec1a9f944514593abbdec34c31d927a6"
                "/svm/data/enron_data.mat",
            ),
            checksums=(None,),
            parser="parse_enron",
        ),
        sha256=(
            "60997ea7cfe1cc992f391487971555e87651a76af8600e79bd921dec5e07d9cd",
            "cf0ae08ee138bbabe9ebfd357fc074707f7ac5dd342fa7129321113ad29f94a2",
        ),
    ),
    Entry(
        name="imdb",
        title="Counts of words in film reviews, positive (+1) against negative (-1)",
        rows=25000,
        test_rows=25000,
        features=89527,
        origin="https://ai.stanford.edu/~amaas/data/sentiment/",
        licence="free for research, with citation",
        citation="Maas et al., Learning word vectors for sentiment analysis, 2011",
        domain="integer",
        ridge=0.01,
        norm_squared=16.0,
        file="imdb.npz",
        original=Original(
            urls=("https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",),
            checksums=("md5:7c2ac02c03563afcf9b574c7e56c153a",),
            parser="parse_imdb",
        ),
    ),
    Entry(
        name="fishdog",
        title="Network features of photographs, dog (+1) against fish (-1)",
        rows=1800,
        test_rows=600,
        features=1280,
        origin="https://github.com/fastai/imagenette",
        licence="pictures of ImageNet, for non-commercial research",
        citation="Deng et al., ImageNet, 2009; Howard, Imagenette, 2019",
        domain="real",
        test_origin="fixed test split of 300 pictures a class",
        file="fishdog.npz",
    ),
    Entry(
        name="sms",
        title="Counts of words in text messages, spam (+1) against ham (-1)",
        rows=4459,
        test_rows=1115,
        features=2407,
        origin="https://archive.ics.uci.edu/dataset/228",
        licence="CC BY 4.0",
        citation="Almeida, Gómez Hidalgo and Yamakami, Contributions to the study of SMS spam filtering, 2011",
        domain="integer",
        test_origin="20 % held out once at random, seed 0",
        file="sms.npz",
        original=Original(
            urls=(f"{_UCI}/00228/smsspamcollection.zip",),
            checksums=("sha256:1587ea43e58e82b14ff1f5425c88e17f8496bfcdb67a583dbff9eefaf9963ce3",),
            parser="parse_sms",
        ),
        sha256=(
            "55900fc122dba572e2ee9b30fc54e569d112b8fb4281c62c4b71b12c308dcab1",
            "5fa18302fac3d690361e63af14a70642ca26ebf71cb15040d0d150ef47805e66",
        ),
    ),
    Entry(
        name="pneumonia",
        title="Chest radiographs of 28 x 28 pixels, pneumonia (1) against normal (0)",
        rows=4708,
        test_rows=624,
        features=784,
        origin="https://medmnist.com",
        licence="CC BY 4.0",
        citation=_PNEUMONIA_CITATION,
        domain="box",
        file="pneumoniamnist.npz",
        original=_PNEUMONIA_FILES,
    ),
    Entry(
        name="pneumonia-hospitals",
        title="The radiographs of pneumonia in five made-up hospitals, each with its own brightness",
        rows=4708,
        test_rows=624,
        features=784,
        origin="https://medmnist.com",
        licence="CC BY 4.0",
        citation=_PNEUMONIA_CITATION,
        domain="box",
        reader="catalogue.hospitals:read",
        file="pneumoniamnist.npz",
        original=_PNEUMONIA_FILES,
        beside=("hospital",),
    ),
    Entry(
        name="adult",
        title="Census answers, income above 50,000 dollars (+1) against below (-1)",
        rows=32561,
        test_rows=16281,
        features=108,
        origin="https://archive.ics.uci.edu/dataset/2",
        licence="CC BY 4.0",
        citation="Becker and Kohavi, Adult, UCI, 1996",
        domain="real",
        reader="catalogue.adult:read",
        file="adult.npz",
        beside=(
            "occupation",
            "workclass",
            "education",
            "marital_status",
            "relationship",
            "race",
            "sex",
            "native_country",
        ),
        original=Original(
            urls=(f"{_UCI}/adult/adult.data", f"{_UCI}/adult/adult.test"),
            checksums=(
                "sha256:5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d",
                "sha256:a2a9044bc167a35b2361efbabec64e89d69ce82d9790d2980119aac5fd7e9c05",
            ),
            parser="parse_adult",
        ),
        sha256=(
            "dce60c788f3ee08ec881f51bc150b59b127d6cb0b521e0f43465f440b5706b97",
            "81592b6246a672c71b5e0c2183b23acce64a4631085a2f76f5a6cb57044a2141",
        ),
    ),
)
