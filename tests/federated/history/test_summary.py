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
        RoundLine(
            round=number, aggregated=number != 2, malicious=2, malicious_left=2, reason="too few" if number == 2 else ""
        )
        for number in (1, 2, 3)
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
        "look at 3 of 6 clients: 5, 99, 4",
        "client 5: filtered in 3 of 3 rounds, where this rule filters a client in 0.7 on average, one of the "
        "farthest in 3 of 3 rounds, at 1.67 times the clients' median distance, "
        "cosine 1.00 to the aggregate, declared at most 500 "
        "examples",
        "client 99: refused in 1 of 0 rounds (not selected)",
        "client 4: refused in 1 of 3 rounds (not finite), one of the farthest in 2 of 3 rounds, at 1.24 times "
        "the clients' median distance, cosine 1.00 to the aggregate, declared at most 400 examples",
        "3 rounds, 1 of them left the model as it was",
        "the latest because too few",
    ]


def test_a_file_and_a_frame(log, tmp_path):
    writer = LogWriter(tmp_path / "log.jsonl")
    writer.begin({})
    for closing in log.rounds:
        writer.write([line for line in log.clients if line.round == closing.round], closing)
    frame = summarize_log(tmp_path / "log.jsonl").to_frame()
    assert str(next(iter(frame["client"]))) == "5"
    assert str(next(iter(frame["filtered"]))) == "3"


def test_nobody_to_name():
    alike = [ClientLine(round=1, client=name, status="admitted", distance=1.0) for name in "123"]
    assert summarize_log(FederatedLog(tuple(alike), ())).lines()[0] == "no client stands out"
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


def rule_by_coordinates(server_round):
    """Seven clients, none of them filtered; 3 is far away and 6 a little."""
    distances = {"1": 1.0, "2": 1.1, "3": 8.0, "4": 0.9, "5": 1.2, "6": 1.5, "7": 1.0}
    return [
        ClientLine(
            round=server_round,
            client=name,
            status="admitted",
            distance=distance,
            cosine=-0.9 if name == "3" else 0.95,
            declared=1e12 if name == "3" else 50.0,
        )
        for name, distance in distances.items()
    ]


def test_where_no_client_is_filtered_the_farthest_are_named_answer_first():
    rounds = tuple(RoundLine(round=t, aggregated=True, rule="nnm+trimmed-mean", malicious=2) for t in range(1, 11))
    log = FederatedLog(tuple(line for t in range(1, 11) for line in rule_by_coordinates(t)), rounds)
    summary = summarize_log(log)
    assert summary.lines()[:2] == [
        "look at 2 of 7 clients: 3, 6",
        "client 3: one of the farthest in 10 of 10 rounds, at 7.27 times the clients' median distance, cosine -0.90 to "
        "the aggregate, declared at most 1e+12 examples",
    ]
    assert summary.clients[0].evidence > 2 * summary.clients[1].evidence


def test_being_filtered_is_compared_with_what_the_rule_leaves_out_anyway():
    """A multi-krum of nine keeps five each round: the first is never kept, the others take turns."""
    made = []
    for t in range(1, 17):
        out = {"1", *(str(2 + (t + step) % 8) for step in range(3))}
        made += [
            ClientLine(round=t, client=str(number), status="admitted", filtered=str(number) in out)
            for number in range(1, 10)
        ]
    closing = [
        RoundLine(round=t, aggregated=True, rule="multi-krum", malicious=2, malicious_left=2, filtered=4)
        for t in range(1, 17)
    ]
    said = summarize_log(FederatedLog(tuple(made), tuple(closing))).lines()
    assert said[0] == "look at 1 of 9 clients: 1"
    assert "filtered in 16 of 16 rounds, where this rule filters a client in 7.1 on average" in said[1]
    assert said[2] == "filtered no more often than the rule leaves out anyway: 2, 3, 4, 5, 6, 7, 8, 9"
    assert said[3] == (
        "multi-krum leaves out 4 clients in every round where 2 may be malicious, honest ones among them: being "
        "filtered alone is no sign"
    )


def test_groups_are_no_clients():
    made = [
        ClientLine(round=t, client=f"group {number}", status="admitted", filtered=number == 2, distance=float(number))
        for t in (1, 2)
        for number in (1, 2, 3)
    ]
    made.append(ClientLine(round=2, client="7", status="refused", counted=True, reason="not finite"))
    summary = summarize_log(FederatedLog(tuple(made), (RoundLine(round=1, aggregated=True, groups=3),)))
    assert [total.client for total in summary.clients] == ["7"]
    assert summary.lines()[:3] == [
        "look at 1 of 1 clients: 7",
        "client 7: refused in 1 rounds (not finite)",
        "by group, drawn anew each round: 6 means were seen, 0 refused, 2 filtered; the number of a group stands for "
        "other clients in each round",
    ]


def test_runs_of_one_log_are_told_apart(log, tmp_path):
    for refused in ("1", "2", None):
        writer = LogWriter(tmp_path / "log.jsonl")
        writer.begin({})
        if refused:
            writer.write(lines(1, refused=refused), RoundLine(round=1, aggregated=True))
    # The third has begun, but has no round yet.
    summary = summarize_log(tmp_path / "log.jsonl")
    assert (summary.rounds, summary.clients[0].client, summary.lines()[-1]) == (1, "2", "run 2 of the 2 in this log")
    assert summarize_log(tmp_path / "log.jsonl", run=1).clients[0].client == "1"
    with pytest.raises(ValueError, match="`run`: expected the number of a run of the log, from 1 to 2, got 3"):
        summarize_log(tmp_path / "log.jsonl", run=3)
