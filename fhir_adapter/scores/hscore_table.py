"""HScore (Fardet L et al., Arthritis Rheumatol 2014;66(9):2613-20, doi 10.1002/art.38690, table 3): the table itself.

Read in open-access copies: Case Rep Rheumatol 2017;5304180, table 3; PMC7589537, table 4 (says "strictly" at both edges
of the temperature); PMC10101193, table 1. Edges are inclusive as printed; between printed bands (39.45 Cel,
triglycerides 4.03 mmol/L) the strict inequality of the outer band decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from fhir_adapter.trial import Interval

DEFAULT_CUTOFF = 169
"""Sensitivity 93 %, specificity 86 % in the cohort of the paper."""

CUTOFF_PRESETS: Mapping[str, tuple[int, str]] = {
    "fardet-2014": (DEFAULT_CUTOFF, "Fardet 2014: adults with suspected haemophagocytic syndrome"),
    "aosd": (120, "Zhang 2020: adult-onset Still's disease (sensitivity 90.6 %, specificity 89.6 %)"),
    "rheumatic": (191, "Batu 2017: AOSD, sJIA and SLE (>= 190.5)"),
}
"""Published cut-offs: points from which a score counts, and where they come from."""


@dataclass(frozen=True, slots=True)
class Band:
    """The points of all values inside an interval of the analyte's canonical unit."""

    points: int
    values: Interval


@dataclass(frozen=True, slots=True)
class Parts:
    """An item that counts its parts: `points[n]` for n parts that are positive, each with its own criterion."""

    parts: tuple[str, ...]
    points: tuple[int, ...]


def _below(value: str) -> Interval:
    return Interval(None, Fraction(value), high_open=True)


def _up_to(value: str) -> Interval:
    return Interval(None, Fraction(value))


def _from(value: str) -> Interval:
    return Interval(Fraction(value), None)


def _above(value: str) -> Interval:
    return Interval(Fraction(value), None, low_open=True)


def _between(low: str, high: str) -> Interval:
    return Interval(Fraction(low), Fraction(high))


BANDS: Mapping[str, tuple[Band, ...]] = {
    "temperature": (Band(0, _below("38.4")), Band(33, _between("38.4", "39.4")), Band(49, _above("39.4"))),  # Cel
    "ferritin": (Band(0, _below("2000")), Band(35, _between("2000", "6000")), Band(50, _above("6000"))),  # ng/mL
    "triglycerides": (Band(0, _below("1.5")), Band(44, _between("1.5", "4")), Band(64, _above("4"))),  # mmol/L
    "fibrinogen": (Band(30, _up_to("2.5")), Band(0, _above("2.5"))),  # g/L
    "ast": (Band(0, _below("30")), Band(19, _from("30"))),  # U/L
}
"""Items with a band per value, in the canonical units of the terminology room."""

LINEAGES: Mapping[str, Interval] = {
    "hemoglobin": _up_to("9.2"),  # g/dL
    "leukocytes": _up_to("5"),  # 10*9/L
    "platelets": _up_to("110"),  # 10*9/L
}
"""When a lineage of the blood count is low."""

PRESENT: Mapping[str, int] = {"known_immunosuppression": 18, "marrow_hemophagocytosis": 35}
"""Items that are present or absent, with the points of present."""

COUNTED: Mapping[str, Parts] = {
    "organomegaly": Parts(("hepatomegaly", "splenomegaly"), (0, 23, 38)),
    "cytopenias": Parts(tuple(LINEAGES), (0, 0, 24, 34)),  # no lineage at all is not printed: 0 points
}

ITEMS = (
    *("known_immunosuppression", "temperature", "organomegaly", "cytopenias", "ferritin", "triglycerides"),
    *("fibrinogen", "ast", "marrow_hemophagocytosis"),
)
"""The nine items in the order of the paper."""

PARTS: Mapping[str, tuple[str, ...]] = {item: COUNTED[item].parts if item in COUNTED else (item,) for item in ITEMS}
"""What has to be known for each item: analytes and findings."""

BOTH_ORGANS = "hepatosplenomegaly"
"""A combined finding: present means both organs, absent excludes only both together."""

SCORED_PARTS = frozenset(part for parts in PARTS.values() for part in parts) | {BOTH_ORGANS}
"""Every analyte and finding that the score looks at."""

MAXIMUM = 337
