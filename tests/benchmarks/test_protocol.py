"""Which scores share a protocol."""

from benchmarks.protocol import UNSPECIFIED_PROTOCOL, Protocol


def test_unknown_protocol_has_a_name() -> None:
    assert Protocol().key == UNSPECIFIED_PROTOCOL


def test_key_is_readable_and_ignores_case_and_harness_version() -> None:
    protocol = Protocol(harness="LM-Eval", harness_version="0.4.9", task_version="3", shots=5)
    assert protocol.key == "harness lm-eval; task version 3; shots 5"
    assert protocol.key == Protocol(harness="lm-eval", task_version="3", shots=5).key


def test_zero_shots_is_not_unknown_shots() -> None:
    assert Protocol(shots=0).key != Protocol().key


def test_every_other_field_tells_protocols_apart() -> None:
    protocols = [
        Protocol(),
        Protocol(harness="x"),
        Protocol(task_version="x"),
        Protocol(metric_filter="x"),
        Protocol(chat_template="x"),
        Protocol(thinking_mode="x"),
        Protocol(kv_cache_type="x"),
    ]
    assert len({protocol.key for protocol in protocols}) == len(protocols)


def test_long_chat_template_is_shortened() -> None:
    one, other = Protocol(chat_template="a" * 5000), Protocol(chat_template="a" * 5001)
    assert one.key != other.key
    assert len(one.key) < 60
