"""How many answers agree with Java's, per transformation: `python -m tests.peer.transforms_report SEED COUNT` prints a table.

Of each transformation the kept cases are asked, and COUNT fresh ones of a random SEED, for which the Java classes run.
For transformations that are in no Maven repository see `transforms_cases`: without their classes only kept cases are asked.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence

from tests.peer.transforms_cases import PUBLISHED, UNPUBLISHED_CLASSES, Vector, kept_vectors, vectors
from tests.peer.transforms_codec import agree, answers
from tests.peer.transforms_configs import FAMILIES


def agreed_of_all(asked: Sequence[Vector]) -> tuple[Counter[str], Counter[str]]:
    """Per transformation, the answers that agree and all; what differs is printed."""
    agreed: Counter[str] = Counter()
    every: Counter[str] = Counter()
    for vector in asked:
        for ours, javas in zip(answers(vector.case), vector.answers, strict=True):
            every[vector.family] += 1
            if agree(ours, javas):
                agreed[vector.family] += 1
            else:
                print(f"{vector.family}: {vector.case}\nJava: {javas}\nconnectd: {ours}", file=sys.stderr)
    return agreed, every


def main(seed: int, count: int) -> None:
    """Print the table."""
    kept, all_kept = agreed_of_all(kept_vectors())
    fresh, all_fresh = agreed_of_all(vectors(seed, count, tuple(FAMILIES) if UNPUBLISHED_CLASSES else PUBLISHED))
    print(f"| transformation | kept cases | fresh cases, seed {seed} |\n|---|---|---|")
    for family in FAMILIES:
        print(f"| {family} | {kept[family]} of {all_kept[family]} | {fresh[family]} of {all_fresh[family]} |")
    totals = [f"{found.total():,} of {every.total():,}" for found, every in ((kept, all_kept), (fresh, all_fresh))]
    print(f"| all | {' | '.join(totals)} |")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
