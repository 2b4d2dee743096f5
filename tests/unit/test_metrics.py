"""What the metrics count: phases of a move, bytes a link and day, the budget of a metered link."""

from agent.diagnosis import counted
from agent.metrics import Metrics


class Store:
    behind = False

    def __init__(self, values=None):
        self.values, self.writes = values or {}, 0

    def get(self, key, default=None):
        return self.values.get(key, default)

    def keep(self, changes):
        self.values.update(changes)
        self.writes += 1


def test_a_move_has_three_phases():
    metrics = Metrics(Store(), ["lte"], 0, 0)
    assert not metrics.registered(5)
    metrics.lost(5000, 10000)
    metrics.aimed("lte", 11500)
    assert metrics.registered(11600) and metrics.last == [5000, 1500, 100] and metrics.worst == 6600
    assert not metrics.registered(11700) and metrics.moves == 1
    metrics.lost(0, 20000)
    metrics.aimed("lte", 20000)
    metrics.registered(20002)
    assert counted(metrics, 30000)["mean"] == {"detect_ms": 2500, "dial_ms": 750, "register_ms": 51}


def test_bytes_are_counted_by_link_and_day():
    metrics = Metrics(Store(), ["lte"], 0, 0)
    metrics.keep(86400 * 20000, 0)
    metrics.count("eth", 0, 100)
    metrics.count("eth", 1, 10)
    metrics.keep(86400 * 20000 + 5, 0)
    assert metrics.bytes == {"eth": [128, 38]} and metrics.sums == [128, 38]
    metrics.keep(86400 * 20001, 0)
    assert metrics.bytes == {} and metrics.before == {"eth": [128, 38]}


def test_a_budget_is_kept_coarsely_and_survives_a_restart():
    store = Store()
    metrics = Metrics(store, ["lte"], 100000, 0)
    for _ in range(100):
        metrics.count("lte", 0, 1000)
        metrics.count("eth", 0, 100000)
        spent = metrics.keep(1700000000, 0)
    assert spent == ["lte"] and store.writes <= 3
    again = Metrics(store, ["lte"], 60000, 0)
    assert again.keep(1700000000, 0) == ["lte"]
    assert again.keep(1700000000 + 31 * 86400, 0) == []


def test_without_a_clock_nothing_rolls_over():
    metrics = Metrics(Store(), ["lte"], 100, 0)
    metrics.count("lte", 1, 200)
    assert metrics.keep(0, 0) == ["lte"]


def test_time_in_each_state():
    metrics = Metrics(Store(), [], 0, 0)
    metrics.entered("registering", 1000)
    metrics.entered("registered", 3000)
    assert counted(metrics, 10000)["state_s"] == {"idle": 1, "registering": 2, "registered": 7}
