"""Numbers in canonical units: exact at every edge, refused when uncertain, flagged when read by an alias."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_adapter.issues import Rejected
from fhir_adapter.scores.points import result_range
from fhir_adapter.terminology import Normalised, analytes, normalise
from fhir_adapter.terminology.tables import Edge
from fhir_adapter.trial import Interval, Result

UNITS = [(name, ucum) for name, one in analytes().items() for ucum in one.units]
SCORED_UNITS = [(name, ucum) for name, ucum in UNITS if analytes()[name].scored]
ALIASES = [(name, text, ucum) for name, one in analytes().items() for text, ucum in one.aliases.items()]
EDGES = [(name, ucum, edge) for name, ucum in SCORED_UNITS for edge in analytes()[name].edges]
MICRO, MU = "\N{MICRO SIGN}", "\N{GREEK SMALL LETTER MU}"
TRIGLYCERIDES_IN = ", ".join(analytes()["triglycerides"].units)
DIGITS = 30
SCALE: int = 10**DIGITS


def plausible(name: str) -> str:
    """A value of the analyte in its canonical unit that a person can have."""
    return {"temperature": "38.5", "triglycerides": "2", "hemoglobin": "9"}.get(name, "5")


def steps(name: str, ucum: str, canonical: Fraction) -> int:
    """The canonical value in another unit, in whole steps of 10**-30, rounded down."""
    unit = analytes()[name].units[ucum]
    exact: Fraction = canonical / unit.factor + unit.zero
    return exact.numerator * SCALE // exact.denominator


def written(count: int) -> str:
    """A number of such steps as a decimal."""
    return f"{count // SCALE}.{count % SCALE:0{DIGITS}}"


def written_in(name: str, ucum: str, canonical: str) -> str:
    """A canonical value as a decimal in another unit."""
    return written(steps(name, ucum, Fraction(canonical)))


def point(name: str, value: str, unit_code: str = "", unit_text: str = "") -> Fraction:
    """The number in the canonical unit."""
    found = normalise(name, value, unit_code, unit_text).interval.point
    assert found is not None
    return found


def refusal(name: str, value: str, unit_code: str = "", unit_text: str = "", comparator: str | None = None) -> str:
    """The code of the issue with which a value is refused."""
    with pytest.raises(Rejected) as refused:
        normalise(name, value, unit_code, unit_text, comparator=comparator)
    (issue,) = refused.value.issues
    assert issue.is_error
    return issue.code


@pytest.mark.parametrize(("name", "ucum", "edge"), EDGES)
def test_bad_input_41_one_step_beside_every_edge_in_every_unit(name: str, ucum: str, edge: Edge) -> None:
    """Just below, and just above, every edge of the score is on its own side in every unit that is read."""
    at = steps(name, ucum, edge.value)
    assert point(name, written(at - 1), ucum) < edge.value < point(name, written(at + 1), ucum)


@pytest.mark.parametrize(
    ("name", "value", "ucum", "canonical"),
    [
        ("ferritin", "2000", "ng/mL", "2000"),
        ("ferritin", "2000", "ug/L", "2000"),
        ("ferritin", "6", "mg/L", "6000"),
        ("ferritin", "200", "pmol/L", "89"),
        ("ferritin", "22.47", "nmol/L", "9999.15"),
        ("triglycerides", "132.855", "mg/dL", "1.5"),
        ("triglycerides", "354.28", "mg/dL", "4"),
        ("triglycerides", "3.5428", "g/L", "4"),
        ("fibrinogen", "250", "mg/dL", "2.5"),
        ("fibrinogen", "7.5", "umol/L", "2.55"),
        ("ast", "0.5", "ukat/L", "30"),
        ("ast", "500", "nkat/L", "30"),
        ("ast", "30", "[IU]/L", "30"),
        ("hemoglobin", "92", "g/L", "9.2"),
        ("hemoglobin", "5.71", "mmol/L", "9.2013795"),
        ("leukocytes", "5", "10*3/uL", "5"),
        ("leukocytes", "5000", "/uL", "5"),
        ("platelets", "110000", "/uL", "110"),
        ("platelets", "110", "10*3/mm3", "110"),
        ("platelets", "110", "/nL", "110"),
        ("temperature", "101.12", "[degF]", "38.4"),
        ("temperature", "102.92", "[degF]", "39.4"),
        ("temperature", "311.55", "K", "38.4"),
        ("body_weight", "100", "[lb_av]", "45.359237"),
        ("crp", "1.5", "mg/dL", "15"),
    ],
)
def test_conversions_are_exact(name: str, value: str, ucum: str, canonical: str) -> None:
    """Every edge lands exactly on itself, with no flag for a unit that was coded in UCUM."""
    assert point(name, value, ucum) == Fraction(canonical)
    assert not [flag for flag in normalise(name, value, ucum).flags if "unit" in flag]


@pytest.mark.parametrize(("name", "ucum"), UNITS)
def test_every_unit_is_read_as_code_and_as_text(name: str, ucum: str) -> None:
    """A UCUM unit that came only as text is read, and flagged."""
    analyte = analytes()[name]
    value = written_in(name, ucum, plausible(name))
    coded, texted = normalise(name, value, ucum), normalise(name, value, "", ucum)
    assert (coded.interval, coded.unit) == (texted.interval, analyte.unit)
    assert f"unit {ucum} read from its text" in texted.flags


@pytest.mark.parametrize(("name", "text", "ucum"), ALIASES)
def test_every_alias_is_read_and_flagged(name: str, text: str, ucum: str) -> None:
    """An alias means its unit, in the code and in the text, and each use is flagged."""
    value = written_in(name, ucum, plausible(name))
    for found in (normalise(name, value, text), normalise(name, value, "", text)):
        assert found.interval == normalise(name, value, ucum).interval
        assert f"unit {text!r} read as {ucum}" in found.flags


@pytest.mark.parametrize("name", ["leukocytes", "platelets", "neutrophils", "eosinophils"])
@pytest.mark.parametrize(
    "text",
    [
        *("10^9/L", "x10^9/L", "10*9/L", "G/L", "10E9/L", "/nL", "K/uL", "k/uL", "K/mcL", "x10E3/uL"),
        *("×10⁹/L", f"10^3/{MICRO}L", f"10^3/{MU}L"),  # noqa: RUF001
    ],
)
def test_bad_input_26_and_27_counts_as_laboratories_write_them(name: str, text: str) -> None:
    """Thousand per microlitre and giga per litre are the canonical count, never kelvin or gauss."""
    assert point(name, "4.2", "", text) == Fraction("4.2")
    assert point(name, "4.2", text) == Fraction("4.2")


@pytest.mark.parametrize("text", ["/mm3", "/uL", f"/{MICRO}L", f"/{MU}L", "cells/uL"])
def test_counts_per_microlitre(text: str) -> None:
    """Cells per cubic millimetre are a thousandth."""
    assert point("leukocytes", "4200", "", text) == Fraction("4.2")


@pytest.mark.parametrize("name", ["ferritin", "ast", "temperature", "body_weight"])
@pytest.mark.parametrize("unit", ["K/uL", "10^9/L", "/nL"])
def test_aliases_are_of_their_analyte_only(name: str, unit: str) -> None:
    """Thousand per microlitre is no unit of anything but a count."""
    assert refusal(name, "38.5", "", unit) == "unknown-unit"


@pytest.mark.parametrize("name", ["ferritin", "ast", "platelets", "hemoglobin"])
@pytest.mark.parametrize("unit", ["C", "F", "K"])
def test_letters_of_temperatures_are_nothing_elsewhere(name: str, unit: str) -> None:
    """C, F and K are aliases for temperature alone: in UCUM they are coulomb, farad and kelvin."""
    assert refusal(name, "9", unit) == "unknown-unit"


@pytest.mark.parametrize(
    ("value", "unit", "canonical"),
    [
        ("38.4", "C", "38.4"),
        ("38.4", "°C", "38.4"),
        ("38.4", "℃", "38.4"),
        ("38.4", "degC", "38.4"),
        ("101.12", "F", "38.4"),
        ("101.12", "°F", "38.4"),
    ],
)
def test_temperatures_as_wards_write_them(value: str, unit: str, canonical: str) -> None:
    """C is Celsius and F is Fahrenheit, in the code and in the text."""
    assert point("temperature", value, unit) == Fraction(canonical)
    assert point("temperature", value, "", unit) == Fraction(canonical)


@pytest.mark.parametrize("unit", ["ng/mL", "ug/L", f"{MICRO}g/L", f"{MU}g/L", "ng/ml"])
@pytest.mark.parametrize("value", ["2000", "6000"])
def test_bad_input_23_ferritin_is_the_same_in_every_mass_unit(unit: str, value: str) -> None:
    """A value on an edge is on it in every unit."""
    assert point("ferritin", value, "", unit) == Fraction(value)


@pytest.mark.parametrize(
    ("value", "side"), [("4494", True), ("13483", True), ("4495", False), ("13482", False), ("13484", False)]
)
def test_bad_input_23_ferritin_in_moles_is_flagged_between_factor_and_divisor(value: str, side: bool) -> None:
    """4494 pmol/L is 1999.83 by the factor and 2000 by the divisor that others use: a person should know."""
    flags = normalise("ferritin", value, "pmol/L").flags
    assert bool([flag for flag in flags if "divisor 2.247" in flag]) is side


def test_a_capped_ferritin_in_moles_is_flagged_too() -> None:
    """The bound of a half-line can lie between factor and divisor as well as a number."""
    assert normalise("ferritin", "4494", "pmol/L", comparator=">").flags == (
        "pmol/L: beside 2000 ng/mL, where our factor 0.445 and the usual divisor 2.247 fall on different sides",
    )


def test_ferritin_in_nanomoles_is_flagged_alike() -> None:
    """The same value in another unit."""
    assert "2000 ng/mL" in normalise("ferritin", "4.494", "nmol/L").flags[0]


@pytest.mark.parametrize(("value", "unit"), [("2.5", "g/L"), ("250", "mg/dL"), ("2.5", "mg/mL"), ("250", "mg/dl")])
def test_bad_input_25_fibrinogen_is_the_same_in_every_unit(value: str, unit: str) -> None:
    """250 mg/dL is exactly 2.5 g/L."""
    assert point("fibrinogen", value, "", unit) == Fraction("2.5")


@pytest.mark.parametrize("name", list(analytes()))
def test_bad_input_29_a_missing_unit_is_refused(name: str) -> None:
    """Every analyte has a unit, so a number alone is none."""
    assert refusal(name, plausible(name)) == "missing-unit"


@pytest.mark.parametrize("unit", ["widgets", "mmol/L", "%", "g/L", "10*9/l ", "ng", "张三"])
def test_a_unit_that_is_not_of_the_analyte_is_refused(unit: str) -> None:
    """The issue names the analyte and what would be right."""
    with pytest.raises(Rejected, match=r"^ast: .*right would be a UCUM code of U/L, \[IU\]/L") as refused:
        normalise("ast", "31", "", unit)
    assert refused.value.issues[0].code == "unknown-unit"


def test_a_text_in_place_of_a_unit_is_not_repeated() -> None:
    """A unit is shown only when it looks like one: the field may hold anything."""
    with pytest.raises(Rejected, match="its unit is not read"):
        normalise("ast", "31", "", "see 13800138000")
    with pytest.raises(Rejected, match=r"unit '10\^12/L' is not read"):
        normalise("ast", "31", "", "10^12/L")


def test_code_and_text_that_mean_different_units_are_refused() -> None:
    """Nobody can know which of the two the number belongs to."""
    assert refusal("triglycerides", "2.1", "mmol/L", "mg/dL") == "unknown-unit"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, f"triglycerides: no unit; right would be a UCUM code of {TRIGLYCERIDES_IN}"),
        (
            {"unit_code": "mmol/L", "unit_text": "mg/dL"},
            (
                "triglycerides: its unit code means mmol/L and its unit text mg/dL; "
                f"right would be a UCUM code of {TRIGLYCERIDES_IN}"
            ),
        ),
        (
            {"unit_code": "mmol/L", "comparator": "ad"},
            "triglycerides: its comparator is none of < <= > >=",
        ),
    ],
)
def test_a_refusal_says_what_would_be_right(given: dict[str, str], message: str) -> None:
    """In whole sentences, without the value."""
    with pytest.raises(Rejected) as refused:
        normalise("triglycerides", "2.1", **given)
    assert [issue.message for issue in refused.value.issues] == [message]


def test_code_and_text_that_mean_the_same_are_read() -> None:
    """ng/mL and ug/L are one unit; a text that says nothing does no harm."""
    assert normalise("ferritin", "410", "ng/mL", "ug/L").flags == ()
    assert normalise("ferritin", "410", "ng/mL", "nanograms").flags == ()


def test_an_unknown_code_is_not_saved_by_its_text() -> None:
    """The code is what counts, so a wrong one is refused."""
    assert refusal("ferritin", "410", "ng", "ng/mL") == "unknown-unit"


@pytest.mark.parametrize("comparator", ["<", "<=", ">", ">="])
def test_bad_input_30_the_comparator_is_kept(comparator: str) -> None:
    """A capped result is a half-line in the canonical unit."""
    found = normalise("ferritin", "100", "mg/L", comparator=comparator)
    assert found == Normalised(Interval.of(Fraction(100000), comparator), "ng/mL")


def test_another_comparator_is_refused() -> None:
    """R5 has `ad`, which is no half-line."""
    assert refusal("ferritin", "100", "ng/mL", comparator="ad") == "comparator"


@pytest.mark.parametrize("value", ["", "12,5", "阳性", "see note", "NaN", "Infinity", "1e400", "1e-400", "1/2", "१२"])
def test_bad_input_31_what_is_no_number_is_refused(value: str) -> None:
    """Only a FHIR decimal is a number."""
    assert refusal("ferritin", value, "ng/mL") == "no-number"


def test_an_analyte_that_nobody_knows_is_refused() -> None:
    """The names of all analytes are told."""
    with pytest.raises(Rejected) as refused:
        normalise("ferritine", "1", "ng/mL")
    (issue,) = refused.value.issues
    known = ", ".join(analytes())
    assert (issue.code, issue.message) == (
        "unknown-analyte",
        f"it is none of the analytes that this program knows: {known}",
    )


def test_a_unit_is_nothing_unless_it_is_given() -> None:
    """Code and text may each be left out; without both the unit is missing, not unknown."""
    assert normalise("ferritin", "500", "ng/mL") == normalise("ferritin", "500", "ng/mL", "")
    assert normalise("ferritin", "500", unit_text="ng/mL") == normalise("ferritin", "500", "", "ng/mL")
    with pytest.raises(Rejected) as refused:
        normalise("ferritin", "500")
    assert [issue.code for issue in refused.value.issues] == ["missing-unit"]


@pytest.mark.parametrize(
    ("name", "value", "ucum"),
    [
        ("temperature", "41.2", "Cel"),
        ("temperature", "25", "Cel"),
        ("temperature", "45", "Cel"),
        ("leukocytes", "0.03", "10*9/L"),
        ("leukocytes", "0", "10*9/L"),
        ("ferritin", "159076", "ng/mL"),
        ("ferritin", "2000000", "ng/mL"),
        ("triglycerides", "14.23", "mmol/L"),
        ("triglycerides", "0.05", "mmol/L"),
        ("hemoglobin", "10", "g/L"),
        ("hemoglobin", "250", "g/L"),
        ("platelets", "5000", "10*9/L"),
        ("fibrinogen", "20", "g/L"),
        ("ast", "50000", "U/L"),
    ],
)
def test_what_a_person_can_have_passes(name: str, value: str, ucum: str) -> None:
    """Extreme published values, and the limits themselves."""
    assert normalise(name, value, ucum).interval.point is not None


@pytest.mark.parametrize(
    ("name", "value", "ucum"),
    [
        ("temperature", "101.3", "Cel"),
        ("temperature", "24.99", "Cel"),
        ("temperature", "38.5", "[degF]"),
        ("temperature", "38.5", "K"),
        ("hemoglobin", "84", "g/dL"),
        ("hemoglobin", "0.9", "g/dL"),
        ("leukocytes", "4200", "10*9/L"),
        ("leukocytes", "-0.1", "10*9/L"),
        ("platelets", "62000", "10*9/L"),
        ("ferritin", "2000000.1", "ng/mL"),
        ("triglycerides", "150.1", "mmol/L"),
        ("triglycerides", "2.1", "mg/dL"),
        ("fibrinogen", "136", "g/L"),
        ("ast", "50001", "U/L"),
        ("body_weight", "-1", "kg"),
    ],
)
def test_bad_input_33_what_no_person_has_is_refused_not_converted(name: str, value: str, ucum: str) -> None:
    """A value outside the limits has most likely another unit, and nobody guesses which."""
    assert refusal(name, value, ucum) == "implausible-value"


def test_bad_input_33_fahrenheit_is_exact() -> None:
    """101.3 F is 38.5 Cel."""
    assert point("temperature", "101.3", "[degF]") == Fraction("38.5")


def test_a_limit_is_told_and_the_value_is_not() -> None:
    """The message names the analyte and its limits."""
    with pytest.raises(Rejected, match=r"^hemoglobin: outside 1 to 25 g/dL, (?!.*84)"):
        normalise("hemoglobin", "84", "g/dL")
    with pytest.raises(Rejected, match=r"^body_weight: outside 0 and more kg"):
        normalise("body_weight", "-84", "kg")


@pytest.mark.parametrize(
    ("value", "comparator", "passes"),
    [("2000000", ">", False), ("2000000", ">=", True), ("40000", ">", True), ("0", "<", False), ("0", "<=", True)],
)
def test_a_half_line_is_refused_only_wholly_outside(value: str, comparator: str, passes: bool) -> None:
    """What could still be true is kept."""
    if passes:
        assert normalise("ferritin", value, "ng/mL", comparator=comparator).interval.point is None
    else:
        assert refusal("ferritin", value, "ng/mL", comparator=comparator) == "implausible-value"


@pytest.mark.parametrize(
    ("value", "unit", "flags"),
    [
        ("101.1", "[degF]", ("within 0.05 C of an edge (101.1 F is how 38.4 C is charted)",)),
        ("101.2", "[degF]", ("within 0.05 C of an edge (101.1 F is how 38.4 C is charted)",)),
        ("102.9", "[degF]", ("within 0.05 C of an edge (102.9 F is how 39.4 C is charted)",)),
        ("101.0", "[degF]", ()),
        ("101.3", "[degF]", ()),
        ("38.4", "Cel", ()),
        ("38.39", "Cel", ()),
    ],
)
def test_fahrenheit_beside_an_edge_is_flagged(value: str, unit: str, flags: tuple[str, ...]) -> None:
    """101.1 F is exactly 38.389 Cel and scores below the edge, though it is how 38.4 Cel is charted."""
    assert normalise("temperature", value, unit).flags == flags


@pytest.mark.parametrize(("value", "ucum", "count"), [("5.71", "mmol/L", 1), ("5.60", "mmol/L", 0), ("9.2", "g/dL", 0)])
def test_molar_haemoglobin_beside_its_edge_is_flagged(value: str, ucum: str, count: int) -> None:
    """5.71 mmol/L is above 9.2 g/dL, though calculators print it as the edge."""
    assert len(normalise("hemoglobin", value, ucum).flags) == count


@pytest.mark.parametrize(
    ("name", "value", "ucum", "points"),
    [
        ("temperature", "101.1", "[degF]", 0),
        ("temperature", "101.12", "[degF]", 33),
        ("temperature", "102.92", "[degF]", 33),
        ("temperature", "102.93", "[degF]", 49),
        ("ferritin", "4494", "pmol/L", 0),
        ("ferritin", "4495", "pmol/L", 35),
        ("triglycerides", "132", "mg/dL", 0),
        ("triglycerides", "133", "mg/dL", 44),
        ("triglycerides", "354", "mg/dL", 44),
        ("triglycerides", "355", "mg/dL", 64),
        ("fibrinogen", "250", "mg/dL", 30),
        ("fibrinogen", "251", "mg/dL", 0),
        ("ast", "0.5", "ukat/L", 19),
        ("ast", "0.49", "ukat/L", 0),
    ],
)
def test_points_at_the_edges_in_other_units(name: str, value: str, ucum: str, points: int) -> None:
    """The published examples score as ruled."""
    interval = normalise(name, value, ucum).interval
    result = Result(subject="S01", name=name, source="hospital", interval=interval)
    assert result_range(name, result) == (points, points)


@given(st.sampled_from(UNITS), st.data())
def test_a_larger_number_is_never_less(which: tuple[str, str], data: st.DataObject) -> None:
    """Conversion keeps the order of any two values."""
    name, ucum = which
    unit = analytes()[name].units[ucum]
    values = st.decimals(-(10**6), 10**6, places=4)
    less, more = sorted((data.draw(values), data.draw(values)))
    assert (less < more) == (unit.apply(Fraction(less)) < unit.apply(Fraction(more)))


@given(st.sampled_from(SCORED_UNITS), st.decimals(26, 44, places=6))
def test_there_and_back_is_the_same_value(which: tuple[str, str], value: Decimal) -> None:
    """What was received can be had back from the canonical value, exactly."""
    name, ucum = which
    unit = analytes()[name].units[ucum]
    limits = analytes()[name].limits
    canonical = unit.apply(Fraction(value))
    assert canonical / unit.factor + unit.zero == Fraction(value)
    if limits.contains(Interval.of(canonical)):
        assert point(name, str(value), ucum) == canonical
    else:
        assert refusal(name, str(value), ucum) == "implausible-value"


@given(st.sampled_from(list(analytes())), st.text(max_size=20), st.text(max_size=8), st.text(max_size=8))
def test_nothing_but_a_refusal_comes_of_nonsense(name: str, value: str, code: str, text: str) -> None:
    """Any text at all is either read or set aside."""
    try:
        found = normalise(name, value, code, text)
    except Rejected as error:
        assert len(error.issues) == 1  # noqa: PT017
    else:
        assert found.unit == analytes()[name].unit
