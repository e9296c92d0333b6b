"""The interval logs of a run read by the Python port of HdrHistogram, beside its summary.json: called by `run`."""

import json
import sys
from importlib.metadata import version
from pathlib import Path

from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader

# Tag in the log, metric in the summary, percentile.
FIGURES = [
    ("latency", "latency.p50", 50), ("latency", "latency.p99", 99), ("latency", "latency.p999", 99.9),
    ("lag", "generator.lag.p99", 99), ("wait", "latency.wait.p99", 99), ("service", "latency.service.p50", 50),
]
# Both take the value of a bucket with three significant digits; ours is within the exact maximum besides.
SAME = 0.002


def tags(log):
    merged = {}
    reader = HistogramLogReader(str(log), HdrHistogram(1, 3_600_000_000_000, 3))
    last = 0.0
    while (interval := reader.get_next_interval_histogram()) is not None:
        assert interval.get_start_time_stamp() >= last, "instants run backwards"
        last = interval.get_start_time_stamp()
        whole = merged.setdefault(interval.get_tag(), HdrHistogram(1, 3_600_000_000_000, 3))
        whole.add(interval)
    return merged


def compare(subject, log):
    merged = tags(log)
    assert set(merged) == {"latency", "lag", "wait", "service"}, f"tags {sorted(merged)}"
    answered = sum(row["requests"] for row in subject["classes"] if row["status"] in ("2xx", "4xx"))
    assert merged["latency"].get_total_count() == answered, f"{merged['latency'].get_total_count()} != {answered}"
    assert merged["service"].get_total_count() == answered
    for tag, metric, percentile in FIGURES:
        # The port rounds the rank of a percentile where the others round it up: one request up or down.
        ours, rank = subject["metrics"][metric]["point"], 100 / merged[tag].get_total_count()
        low, high = (
            merged[tag].get_value_at_percentile(at) / 1e9
            for at in (percentile - rank, min(percentile + rank, 100))
        )
        assert low * (1 - SAME) <= ours <= high * (1 + SAME), f"{metric}: {ours} here, {low} to {high} there"


def percentiles(subject, file):
    """The `.hgrm` beside it: its rows rise to the exact maximum."""
    rows = [line.split() for line in file.read_text().splitlines()[2:] if not line.startswith("#")]
    values = [float(row[0]) / 1e3 for row in rows]
    assert values == sorted(values) and float(rows[-1][1]) == 1.0
    assert abs(values[-1] - subject["metrics"]["latency.max"]["point"]) < 1e-8, "the last row is not the maximum"


def main(folder):
    folder, failed = Path(folder), False
    subjects = json.loads((folder / "summary.json").read_text())["subjects"]
    logs = {log.stem.lower(): log for log in folder.glob("*.hlog")}
    for subject in subjects:
        log = logs[subject["name"].replace(" ", "-").lower()]
        try:
            compare(subject, log)
            percentiles(subject, log.with_suffix(".hgrm"))
            result = "ok"
        except AssertionError as error:
            failed, result = True, f"FAILED: {error}"
        print(f"{subject['name']:20} {'hdrhistogram ' + version('hdrhistogram'):20} {'ours there':12} {result}", flush=True)
    return int(failed or not subjects)


sys.exit(main(*sys.argv[1:]))
