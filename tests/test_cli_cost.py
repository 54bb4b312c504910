"""`toadstone cost`: what it prints and writes, and its threshold."""

import json

import numpy as np

FAST = ("--ridge", 0.05, "--most", 0.05, "--workers", 1)


def rows(path, apart=4.0):
    """Two classes in two dimensions, as a table."""
    rng = np.random.default_rng(0)
    kinds = np.where(np.arange(150) % 2 == 0, "ham", "spam")
    X = rng.normal(size=(150, 2)) + apart * (kinds == "spam")[:, None]
    lines = ["one,two,kind", *(f"{a:.4f},{b:.4f},{kind}" for (a, b), kind in zip(X, kinds, strict=True))]
    path.write_text("\n".join(lines) + "\n")


def test_json_has_both_numbers_of_rows(toadstone, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows(tmp_path / "rows.csv")
    out = toadstone("cost", "rows.csv", "--label", "kind", "--error", 0.3, *FAST, "--out", "told", "--json")
    record = json.loads(out.out)
    assert (out.code, record["kind"], record["error"]) == (0, "add", 0.3)
    assert record["certified_rows"] == record["certified"]["rows"] > 1
    assert record["attack_rows"] is None
    assert record == json.loads((tmp_path / "told" / "record.json").read_text())
    assert {"report.html", "certificate.json", "certificate.npz", "record.json"} <= {
        path.name for path in (tmp_path / "told").iterdir()
    }
    verified = toadstone("verify", "told/certificate.json", "--data", "rows.csv", "--label", "kind")
    assert verified.code == 0, verified.err
    assert f"fewer than {record['certified_rows']} added rows" in verified.out
    assert toadstone("verify", "told/certificate.json", "--data", "digits-1-7").code != 0


def test_the_attack_is_kept_and_a_threshold_passes_only_on_what_is_certified(toadstone, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows(tmp_path / "rows.csv", apart=1.0)
    asked = ("cost", "rows.csv", "--label", "kind", "--loss", 0.85, *FAST[:2], "--most", 0.2, "--workers", 1)
    first = toadstone(*asked, "--out", "told")
    assert "Certified: fewer than" in first.out
    assert "Found:" in first.out
    record = json.loads((tmp_path / "told" / "record.json").read_text())
    certified, attack = record["certified_rows"], record["attack_rows"]
    assert 1 < certified < attack
    with np.load(tmp_path / "told" / "poison.npz") as poison:
        assert len(poison["y"]) == attack
    codes, said = [], []
    for limit in (certified, certified + 1, attack + 1):
        outcome = toadstone(*asked, "--fail-if-cost-below", limit)
        codes.append(outcome.code)
        said.append(outcome.err)
    assert codes == [0, 1, 1]
    assert "undecided" in said[1]
    assert "gate failed" in said[2]


def test_harm_without_poison_is_said_to_need_no_row(toadstone, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows(tmp_path / "rows.csv", apart=1.0)
    out = toadstone("cost", "rows.csv", "--label", "kind", "--error", 0.01, *FAST)
    assert "No row is needed" in out.out


def test_options_that_do_not_fit_are_refused(toadstone):
    both = toadstone("cost", "digits-1-7", "--error", 0.1, "--loss", 0.1)
    assert both.code == 2
    assert "either an error or a loss" in both.err
    assert toadstone("cost", "digits-1-7", "--fail-if-cost-below", -1).code == 2
