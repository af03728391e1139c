"""Every setting of a policy, one by one: left out, of another type, below what it can be."""

from __future__ import annotations

import dataclasses
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from sojourn.errors import PolicyError
from sojourn.policy import Policy, build_policy, load_policy
from sojourn.schemas import KeyKind

DEFAULT = files("sojourn").joinpath("policies/default.toml").read_text("utf-8")
RAW: dict[str, Any] = tomllib.loads(DEFAULT)
SETTINGS = [
    (section, name) for section, found in RAW.items() if section != "version" for name in found
]
AT_LEAST_ONE = [
    ("encode", "max_name_tokens"),
    ("encode", "epoch_days"),
    ("linkage", "max_stay_days"),
    ("linkage", "candidates_per_key"),
    ("ledger", "horizon_months"),
    ("measure", "smallest_cell"),
]


def written(raw: dict[str, Any]) -> str:
    """The settings as TOML."""
    lines = [f"version = {raw['version']}"] if "version" in raw else []
    for section, found in raw.items():
        if section == "version":
            continue
        lines.append(f"[{section}]")
        lines += [f"{name} = {_value(value)}" for name, value in found.items()]
    return "\n".join(lines)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(_value(v) for v in value) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def changed(section: str, name: str, value: Any) -> str:
    return written(RAW | {section: RAW[section] | {name: value}})


def test_the_default_policy_has_every_setting_that_is_known() -> None:
    sections = {f.name: f.type for f in dataclasses.fields(Policy) if f.name != "version"}
    assert set(sections) == set(RAW) - {"version"}
    policy = load_policy()
    for section in sections:
        known = {f.name for f in dataclasses.fields(getattr(policy, section))}
        assert known == set(RAW[section])
    assert build_policy(written(RAW), "again") == policy


@pytest.mark.parametrize(("section", "name"), SETTINGS)
def test_a_setting_left_out_is_named_with_its_section(section: str, name: str) -> None:
    less = {n: v for n, v in RAW[section].items() if n != name}
    with pytest.raises(PolicyError) as caught:
        build_policy(written(RAW | {section: less}), "mine.toml")
    assert f"mine.toml [{section}]: {name} is missing" in str(caught.value)


@pytest.mark.parametrize(("section", "name"), SETTINGS)
@pytest.mark.parametrize("wrong", ["truth", "text", "table"])
def test_a_setting_of_another_type_is_named(section: str, name: str, wrong: str) -> None:
    is_text = isinstance(RAW[section][name], str)
    value = {"truth": True, "text": 7 if is_text else "seven", "table": True}[wrong]
    text = changed(section, name, value)
    if wrong == "table":
        text = text.replace(f"{name} = true", f"{name} = {{ a = 1 }}")
    with pytest.raises(PolicyError, match=rf"mine.toml \[{section}\]: {name}: expected"):
        build_policy(text, "mine.toml")


@pytest.mark.parametrize(("section", "name"), AT_LEAST_ONE)
@pytest.mark.parametrize("value", [0, -1])
def test_a_setting_below_one_is_named(section: str, name: str, value: int) -> None:
    with pytest.raises(PolicyError, match=rf"{section}\.{name}: expected at least 1"):
        build_policy(changed(section, name, value), "mine.toml")


@pytest.mark.parametrize("section", [s for s in RAW if s != "version"])
def test_a_section_left_out_or_flattened_is_named(section: str) -> None:
    less = {n: v for n, v in RAW.items() if n != section}
    with pytest.raises(PolicyError, match=rf"section \[{section}\] is missing"):
        build_policy(written(less), "mine.toml")
    flat = written(less).replace("version = 1", f"version = 1\n{section} = 5")
    with pytest.raises(PolicyError, match=rf"section \[{section}\] is missing"):
        build_policy(flat, "mine.toml")


def test_an_unknown_setting_is_told_with_those_that_are_known() -> None:
    with pytest.raises(PolicyError) as caught:
        build_policy(changed("linkage", "treshold", 1), "mine.toml")
    assert "unknown: treshold" in str(caught.value)
    assert all(name in str(caught.value) for name in RAW["linkage"])


def test_a_policy_without_a_version_is_refused() -> None:
    unversioned = {n: v for n, v in RAW.items() if n != "version"}
    with pytest.raises(PolicyError, match="expected version = 1"):
        build_policy(written(unversioned), "mine.toml")


@pytest.mark.parametrize("cell", [1, 9])
def test_no_office_can_show_cells_that_could_show_a_person(cell: int) -> None:
    with pytest.raises(PolicyError, match="could show a person"):
        build_policy(changed("measure", "smallest_cell", cell), "mine.toml")
    assert build_policy(changed("measure", "smallest_cell", 25), "x").measure.smallest_cell == 25


def test_a_whole_number_will_do_for_a_fraction_and_not_the_other_way() -> None:
    policy = build_policy(changed("linkage", "threshold_log2_odds", 2), "mine.toml")
    assert isinstance(policy.linkage.threshold_log2_odds, float)
    assert policy == build_policy(changed("linkage", "threshold_log2_odds", 2.0), "mine.toml")
    with pytest.raises(PolicyError, match="merge_hours: expected int, found float"):
        build_policy(changed("linkage", "merge_hours", 2.5), "mine.toml")


def test_kinds_keep_their_order_and_decide_alone_which_weights_belong() -> None:
    policy = load_policy()
    assert [k.name for k in policy.encode.key_kinds] == RAW["encode"]["kinds"]
    assert all(isinstance(k, KeyKind) for k in policy.encode.key_kinds)
    fewer = build_policy(changed("encode", "kinds", RAW["encode"]["kinds"][:-1]), "mine.toml")
    assert fewer.encode.digest != policy.encode.digest
    epochs = build_policy(changed("encode", "epoch_days", 100), "mine.toml")
    assert epochs.encode.digest == policy.encode.digest
    assert epochs.digest != policy.digest


@pytest.mark.parametrize(
    ("section", "name", "value"),
    [
        ("read", "future_hours", 49),
        ("feeds", "originals", "return"),
        ("measure", "refresh_seconds", 5),
    ],
)
def test_each_section_counts_towards_the_digest(section: str, name: str, value: Any) -> None:
    other = build_policy(changed(section, name, value), "mine.toml")
    assert getattr(getattr(other, section), name) == value
    assert other.digest != load_policy().digest


def test_a_policy_file_is_read_and_one_that_cannot_be_is_named(tmp_path: Path) -> None:
    path = tmp_path / "office.toml"
    with pytest.raises(PolicyError, match=r"office\.toml: expected readable UTF-8 TOML"):
        load_policy(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PolicyError, match=r"office\.toml: expected readable UTF-8 TOML"):
        load_policy(path)
    path.write_text(DEFAULT, "utf-8")
    assert load_policy(path) == load_policy()
