import pytest

from toadstone.federated import Reputation, summarize_log
from toadstone.federated.history.log import ClientLine, FederatedLog, LogWriter, RoundLine


def lines(server_round, *, filtered=(), refused=(), missing=()):
    made = []
    for number in range(1, 6):
        name = str(number)
        status = "refused" if name in refused else "missing" if name in missing else "admitted"
        entered = status == "admitted"
        made.append(
            ClientLine(
                round=server_round,
                client=name,
                status=status,
                reason="not finite" if status == "refused" else "",
                counted=status == "refused",
                filtered=name in filtered,
                distance=float(number) if entered else None,
                cosine=1.0 if entered else None,
                declared=100.0 * number,
            )
        )
    return made


@pytest.fixture
def log():
    rounds = [
        lines(1, filtered="5"),
        lines(2, filtered="5", refused="4"),
        lines(3, filtered="5", missing="1"),
    ]
    rounds[2].append(ClientLine(round=3, client="99", status="refused", reason="not selected"))
    closing = [
        RoundLine(round=number, aggregated=number != 2, reason="too few" if number == 2 else "") for number in (1, 2, 3)
    ]
    return FederatedLog(tuple(line for part in rounds for line in part), tuple(closing))


def test_those_filtered_and_refused_most_come_first(log):
    summary = summarize_log(log)
    assert [total.client for total in summary.clients][:3] == ["5", "99", "4"]
    worst = summary.clients[0]
    assert (worst.rounds, worst.filtered, worst.refused, worst.largest_declared, worst.distance_rank) == (
        3,
        3,
        0,
        500,
        1,
    )
    assert str(summary).splitlines() == [
        "3 rounds, 1 of them left the model as it was",
        "the latest because too few",
        "client 5: filtered in 3, refused in 0 of 3 rounds",
        "client 99: filtered in 0, refused in 1 of 0 rounds (not selected)",
        "client 4: filtered in 0, refused in 1 of 3 rounds (not finite)",
    ]


def test_a_file_and_a_frame(log, tmp_path):
    writer = LogWriter(tmp_path / "log.jsonl")
    writer.begin({})
    for closing in log.rounds:
        writer.write([line for line in log.clients if line.round == closing.round], closing)
    frame = summarize_log(tmp_path / "log.jsonl").to_frame()
    assert next(iter(frame["client"])) == "5"
    assert next(iter(frame["filtered"])) == 3


def test_nobody_to_name():
    assert summarize_log(FederatedLog(tuple(lines(1)), ())).lines()[-1] == "no client was refused or filtered"
    assert summarize_log(FederatedLog((), ())).clients == ()


def test_rounds_that_begin_anew_are_other_rounds():
    twice = FederatedLog(tuple(lines(1) + lines(2) + lines(1)), ())
    assert {total.rounds for total in summarize_log(twice).clients} == {3}


def test_reputation_falls_with_refusals_and_recovers():
    reputation = Reputation(memory=0.9)
    scores = []
    for refused in [False] * 10 + [True] * 3 + [False] * 30:
        reputation.observe(lines(1, refused="1" if refused else ""))
        scores.append(reputation.score("1"))
    assert scores[9] > 0.85
    assert scores[12] < scores[9] - 0.2
    assert scores[-1] > 0.85
    assert min(scores) > 0
    assert max(scores) < 1


def test_strangers_leave_no_trace():
    reputation = Reputation()
    reputation.observe([ClientLine(round=1, client=f"stranger {i}", status="refused") for i in range(100)])
    assert reputation.scores() == {}


def test_where_most_are_filtered_it_says_little():
    krum, filter_of_norms = Reputation(), Reputation()
    krum.observe(lines(1, filtered="2345"))
    filter_of_norms.observe(lines(1, filtered="2"))
    assert krum.score("2") == 0.6
    assert filter_of_norms.score("2") < 0.45


def test_memory_is_a_share():
    with pytest.raises(ValueError, match=r"`memory`: expected a number in \(0, 1\], got 0"):
        Reputation(memory=0)
