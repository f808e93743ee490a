"""YAML 1.2 as it is read: what the scalars mean, on which line they stand, and what is refused."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from fhir_adapter.issues import Issue, Misconfigured
from fhir_adapter.trial_folder import yaml_file
from fhir_adapter.trial_folder.yaml_file import read_yaml


def written(folder: Path, text: str | bytes) -> Path:
    """A YAML file with this text."""
    path = folder / "file.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refused(folder: Path, text: str | bytes) -> Issue:
    """The one issue with which a text is refused."""
    path = written(folder, text)
    with pytest.raises(Misconfigured) as caught:
        read_yaml(path)
    (issue,) = caught.value.issues
    assert issue.where.file == str(path)
    return issue


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("NO", "NO"),
        ("on", "on"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("701", 701),
        ("-3", -3),
        ('"701"', "701"),
        ("'true'", "true"),
        ("1:30", "1:30"),
        ("2024-01-02", "2024-01-02"),
        ("10.80", Decimal("10.80")),
        (".5", Decimal("0.5")),
        ("1e3", Decimal(1000)),
        ("718-7", "718-7"),
        (">-\n  two\n  lines", "two lines"),
    ],
)
def test_scalars_mean_what_yaml_1_2_says(tmp_path: Path, text: str, value: object) -> None:
    """No truth in yes and no, no times in 1:30, no dates; decimals keep their digits."""
    found = read_yaml(written(tmp_path, f"key: {text}\n")).value["key"]
    assert (found, type(found)) == (value, type(value))


def test_a_decimal_keeps_its_zeros(tmp_path: Path) -> None:
    """10.80 stays 10.80."""
    assert str(read_yaml(written(tmp_path, "key: 10.80")).value["key"]) == "10.80"


def test_keys_are_texts(tmp_path: Path) -> None:
    """A site number as a key is its text, with or without quotes."""
    assert read_yaml(written(tmp_path, "001: a\n'002': b\n")).value == {"001": "a", "002": "b"}


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    """A file of comments is an empty mapping."""
    assert read_yaml(written(tmp_path, "# nothing\n")).value == {}


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    """Editors on Windows write one."""
    assert read_yaml(written(tmp_path, b"\xef\xbb\xbfa: b\n")).value == {"a": "b"}


def test_an_anchor_may_be_used_again(tmp_path: Path) -> None:
    """An alias that does not contain itself is the same value once more."""
    text = "a: &x [1, 2]\nb: *x\n"
    assert read_yaml(written(tmp_path, text)).value == {"a": [1, 2], "b": [1, 2]}


def test_every_key_has_its_line(tmp_path: Path) -> None:
    """Members and list items are found on the line where they stand."""
    document = read_yaml(written(tmp_path, "a:\n  b: 1\n  c:\n    - x\n    - y\n"))
    assert {key: document.lines[key] for key in [("a", "b"), ("a", "c", 1)]} == {("a", "b"): 2, ("a", "c", 1): 5}


def test_an_issue_about_an_unknown_key_points_above_it(tmp_path: Path) -> None:
    """What is missing is reported where it should have been."""
    document = read_yaml(written(tmp_path, "\na:\n  b: 1\n"))
    issue = document.issue("code", "message", "a", "missing")
    assert (issue.where.line, issue.rule) == (2, "a.missing")


@pytest.mark.parametrize(
    ("text", "line"), [("a: 1\nb: 2\na: 3\n", 3), ("x:\n  a: 1\n  'a': 2\n", 3), ("- {a: 1, a: 2}", 1)]
)
def test_a_repeated_key_is_refused_on_its_line(tmp_path: Path, text: str, line: int) -> None:
    """Of two values under one key nobody knows which is meant."""
    issue = refused(tmp_path, text)
    assert (issue.code, issue.where.line, issue.message) == ("unreadable-file", line, "the key 'a' stands twice")


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: [1, 2\nb: 3\n", 2, "not YAML"),
        ("a: 1\n\tb: 2\n", 2, "not YAML"),
        ("a: *nowhere\n", 1, "not YAML: found undefined alias"),
        ("a: 1\n---\nb: 2\n", 2, "not YAML"),
        ("? [a, b]\n: 1\n", 1, "a key must be one word or text"),
        (b"a: \xff\n", 1, "byte 3 is not UTF-8"),
        ("a: \x00\n", 1, "not YAML"),
    ],
)
def test_what_is_no_yaml_is_refused_with_its_line(tmp_path: Path, text: str | bytes, line: int, message: str) -> None:
    """Broken syntax, several documents and keys that are no texts are refused where they stand."""
    issue = refused(tmp_path, text)
    assert (issue.where.line, issue.message[: len(message)]) == (line, message)


@pytest.mark.parametrize("text", ["a: &x [*x]\n", "a: &x {b: *x}\n", "&x [[*x]]\n"])
def test_d69_an_alias_that_contains_itself_is_refused(tmp_path: Path, text: str) -> None:
    """A cyclic value has no end."""
    assert refused(tmp_path, text).message == "an alias that repeats itself, or too many values"


def test_d69_aliases_that_multiply_are_refused(tmp_path: Path) -> None:
    """Ten aliases of ten aliases of ten ... are refused by their number."""
    text = "a0: &a0 [1]\n" + "".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9))
    assert refused(tmp_path, text).message == "an alias that repeats itself, or too many values"


@pytest.mark.parametrize("depth", [400, 100_000])
def test_d69_nesting_too_deep_is_refused(tmp_path: Path, depth: int) -> None:
    """However deep, the file is refused and the program does not fall over."""
    assert refused(tmp_path, "[" * depth + "]" * depth).code == "unreadable-file"


@pytest.mark.parametrize("text", ["a: 1e99999999999999999999\n", f"a: {'9' * 5000}\n"], ids=["exponent", "digits"])
def test_d69_a_number_beyond_all_sense_is_refused(tmp_path: Path, text: str) -> None:
    """A number that no program can hold is refused where it stands."""
    issue = refused(tmp_path, text)
    assert (issue.code, issue.where.line) == ("unreadable-file", 1)


def test_a_file_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mapping file has a sensible size."""
    monkeypatch.setattr(yaml_file, "MAX_BYTES", 3)
    assert refused(tmp_path, "a: b").message == "4 bytes; a mapping file has at most 3"


def test_a_missing_file_is_refused_with_its_name(tmp_path: Path) -> None:
    """The file that cannot be read is named."""
    with pytest.raises(Misconfigured, match=r"none\.yaml:1: cannot be read: No such file or directory"):
        read_yaml(tmp_path / "none.yaml")
