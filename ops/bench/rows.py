"""What the parts share: where things are, what a row of the table is, small statistics."""

import dataclasses
import pathlib
import statistics


@dataclasses.dataclass
class Context:
    """Where things are, and how long to measure."""

    root: pathlib.Path
    target: pathlib.Path
    profile: str
    folder: pathlib.Path
    quick: bool
    events: int

    def binary(self, name):
        return str(self.target / self.profile / name)

    def seconds(self, full):
        """How long a run takes that should take so many seconds."""
        return 1 if self.quick else full

    def count(self, full, quick):
        return quick if self.quick else full


@dataclasses.dataclass
class Row:
    """One line of the table; `goal` is words, `reached` None where there is no goal."""

    what: str
    own: str
    beside: str = ""
    ratio: str = ""
    goal: str = ""
    reached: bool | None = None


def at_least(what, own, beside, value, goal):
    return Row(what, own, beside, f"{value:.2f}", f"≥ {goal}", value >= goal)


def at_most(what, own, beside, value, goal):
    return Row(what, own, beside, f"{value:.2f}", f"≤ {goal}", value <= goal)


def table(rows):
    """Rows as a markdown table."""
    lines = ["| what | ours | beside | ratio | goal | reached |", "|---|---:|---:|---:|---:|---|"]
    for row in rows:
        reached = {None: "", True: "yes", False: "**no**"}[row.reached]
        lines.append(f"| {row.what} | {row.own} | {row.beside} | {row.ratio} | {row.goal} | {reached} |")
    return "\n".join(lines)


def median(values):
    return statistics.median(values)


def percentile(values, per_cent):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * per_cent // 100)]
