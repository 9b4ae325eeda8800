"""The gateway's own share of applications (A16): as it counts it itself, and as kiosks see it, alone and fifty at once."""

import json
import os
import subprocess
import tempfile

from rows import Row

KIOSKS = 50
# A citizen takes some ten seconds for a page; here one of fifty enters something every 40 ms.
THINK_MS = 2_000


def measure(context):
    return alone(context) + at_once(context)


def applied(context, *arguments):
    """Runs the citizens; the figures of each step by its name, the gateway's own, and those of the papers."""
    with tempfile.TemporaryDirectory(prefix="station-bench-", dir=context.folder) as folder:
        command = [context.binary("apply"), folder, *map(str, arguments)]
        programs = os.environ | {"STATION_PROGRAMS": str(context.target / context.profile)}
        answer = subprocess.run(command, capture_output=True, text=True, env=programs)
        if answer.returncode:
            raise RuntimeError(answer.stderr[-2000:])
    lines = [json.loads(line) for line in answer.stdout.splitlines() if line.startswith("{")]
    own = next(line["own"] for line in lines if "own" in line)
    papers = next((line["papers"] for line in lines if "papers" in line), None)
    return {line["step"]: line["figures"] for line in lines if "step" in line}, own, papers


def alone(context):
    count = context.count(20, 2)
    steps, own, papers = applied(context, "alone", count)
    mean, append = own["mean_s"] * 1000, own["append_s"] * 1000
    entries = steps["all"]["sum_ms"] / count
    slowest = max((name for name in steps if name != "all"), key=lambda name: steps[name]["p50_ms"])
    what = f"gateway's own share of an application, all messages of kiosk, devices and centre, mean of {count}"
    seen = f"its entries as a kiosk sees them: PUBLISH to receipt and next page, sum of an application's {steps['all']['count'] // count}"
    return [
        Row(what, f"{mean:.0f} ms", f"one append {append:.2f} ms", f"{mean / append:.1f} appends", "< 1 s", mean < 1000),
        Row(seen, f"{entries:.0f} ms", f"{slowest} {steps[slowest]['p50_ms']:.1f} ms", "", "< 1 s", entries < 1000),
        paper_row(papers),
    ]


def paper_row(papers):
    """Setting waits for nothing; what comes before it is the end's durable append, and the checkpoint that the certificate's proof needs."""
    set_ms, came = papers["set"], papers["came"]
    what = f"setting the {papers['each']} papers of an application, as the gateway counts it, {set_ms['count']} applications"
    said = "mean {mean_ms:.0f} ms, max {max_ms:.0f} ms".format(**set_ms)
    seen = "last entry to the last paper at the kiosk, a checkpoint's wait included: mean {mean_ms:.0f} ms, max {max_ms:.0f} ms".format(**came)
    return Row(what, said, seen, "", "max < 300 ms", set_ms["max_ms"] < 300)


def at_once(context):
    kiosks = context.count(KIOSKS, 4)
    steps, _, _ = applied(context, "at-once", kiosks, context.count(THINK_MS, 100))
    figures = steps["all"]
    what = f"an entry of {kiosks} applications at once on {os.cpu_count()} processors, PUBLISH to receipt and next page, {figures['count']} entries"
    said = "p50 {p50_ms:.1f} ms, p99 {p99_ms:.1f} ms, max {max_ms:.0f} ms".format(**figures)
    number = "of these the number, which is looked for among the flagged: p50 {p50_ms:.1f} ms, max {max_ms:.0f} ms".format(**steps["key-number"])
    return [Row(what, said, number, "", "max ≤ 200 ms", figures["max_ms"] <= 200)]
