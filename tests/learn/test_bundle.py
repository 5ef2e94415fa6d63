"""The bundle: replays to the last bit, notices every changed byte, and never scores the wrong columns silently."""

from __future__ import annotations

import json
import pickletools
import re
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from learn_world import FEATURES, World, definitions, trained_on

from casefinding.definitions.shapes import Definitions
from casefinding.errors import BundleError, CasefindingError
from casefinding.judge.judgement import judge
from casefinding.learn.bundle import FILES, MANIFEST, Bundle, plain, read_bundle, write_bundle
from casefinding.learn.fit import Trained
from casefinding.learn.trees import Forest, canonical_text, from_text


def folder_of(bundle: Bundle) -> Path:
    assert bundle.folder is not None
    return bundle.folder


@pytest.fixture
def copy(bundle: Bundle, tmp_path: Path) -> Path:
    return shutil.copytree(folder_of(bundle), tmp_path / "copy")


def test_replays_the_model_that_was_trained(bundle: Bundle, trained: Trained, planted: World) -> None:
    assert np.abs(bundle.raw(planted.matrix) - trained.model.raw(planted.matrix)).max() == 0
    assert np.abs(bundle.chance(planted.matrix) - trained.model.chance(planted.matrix)).max() == 0
    assert bundle.calibration == trained.model.calibration


def test_the_text_replays_the_booster_in_memory(planted: World, trained: Trained) -> None:
    """The one that grew, with its settings and value ranges, before anything was scrubbed."""
    x = trained.model.numbers(planted.matrix)
    x[::7, 3] = np.nan
    case = planted.outcomes["outcome"].to_numpy(zero_copy_only=False) == "case"
    forest = Forest(
        x, case, np.ones(len(x)), FEATURES, trained.model.categories, trained.constraints, trained.learner, 3
    )
    grown = forest.grow(np.arange(len(x)))
    assert "feature_infos=[" in grown.model_to_string()
    replayed = from_text(canonical_text(grown))
    assert np.abs(replayed.predict(x, raw_score=True) - grown.predict(x, raw_score=True)).max() <= 1e-12
    some = x[:1000]
    assert np.abs(replayed.predict(some, pred_contrib=True) - grown.predict(some, pred_contrib=True)).max() <= 1e-12


def test_contributions_add_up_to_the_log_odds_of_the_chance(bundle: Bundle, planted: World) -> None:
    table = planted.matrix.slice(0, 2000)
    parts, base = bundle.contributions(table)
    chance = bundle.chance(table)
    assert parts.shape == (2000, len(FEATURES))
    assert np.abs(parts.sum(axis=1) + base - np.log(chance / (1 - chance))).max() <= 1e-9
    nobody, same = bundle.contributions(table.slice(0, 0))
    assert nobody.shape == (0, len(FEATURES))
    assert same == base
    assert bundle.chance(table.slice(0, 0)).shape == (0,)


def test_same_training_gives_the_same_bytes(bundle: Bundle, planted: World, tmp_path: Path) -> None:
    measures = {"overall": {"auroc": {"value": 0.8, "low": 0.7, "high": 0.9}}}
    write_bundle(trained_on(planted), measures, definitions(), tmp_path / "b")
    for name in (*FILES, MANIFEST):
        assert (tmp_path / "b" / name).read_bytes() == (folder_of(bundle) / name).read_bytes(), name


@settings(max_examples=150, deadline=None, derandomize=True)
@given(data=st.data())
def test_any_changed_byte_is_noticed(
    bundle: Bundle, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from((*FILES, MANIFEST)))
    path = folder_of(bundle) / name
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    how = data.draw(st.sampled_from(["flip", "drop", "add"]))
    if how == "flip":
        content[place] ^= data.draw(st.integers(1, 255))
    elif how == "drop":
        del content[place]
    else:
        content.insert(place, data.draw(st.integers(0, 255)))
    altered = tmp_path_factory.mktemp("altered") / "bundle"
    shutil.copytree(path.parent, altered)
    (altered / name).write_bytes(content)
    with pytest.raises(BundleError):
        read_bundle(altered)


def test_missing_and_added_files_are_named(copy: Path) -> None:
    (copy / "extra.txt").write_text("x")
    with pytest.raises(BundleError, match=r"extra\.txt does not belong"):
        read_bundle(copy)
    (copy / "extra.txt").unlink()
    for name in (*FILES, MANIFEST):
        content = (copy / name).read_bytes()
        (copy / name).unlink()
        with pytest.raises(BundleError, match=re.escape(f"{name} is missing")):
            read_bundle(copy)
        (copy / name).write_bytes(content)
    read_bundle(copy)
    with pytest.raises(BundleError, match="no bundle here"):
        read_bundle(copy / "nowhere")


def test_a_link_in_place_of_a_file_is_refused(copy: Path, tmp_path: Path) -> None:
    shutil.move(copy / "model.txt", tmp_path / "elsewhere.txt")
    (copy / "model.txt").symlink_to(tmp_path / "elsewhere.txt")
    with pytest.raises(BundleError, match="not a plain file"):
        read_bundle(copy)


def test_recomputed_digests_are_caught_by_the_one_kept_outside(bundle: Bundle, copy: Path) -> None:
    from casefinding.files import canonical_json, sha256_of
    from casefinding.learn.bundle import _self_digest

    calibration = json.loads((copy / "calibration.json").read_text()) | {"intercept": 5.0}
    (copy / "calibration.json").write_text(canonical_json(calibration))
    manifest = json.loads((copy / MANIFEST).read_text())
    manifest["files"]["calibration.json"] = sha256_of(copy / "calibration.json")
    manifest["sha256"] = _self_digest(manifest)
    (copy / MANIFEST).write_text(canonical_json(manifest))
    assert read_bundle(copy).calibration.intercept == 5.0
    with pytest.raises(BundleError, match="another bundle"):
        read_bundle(copy, expected=bundle.sha256)
    assert read_bundle(folder_of(bundle), expected=bundle.sha256).sha256 == bundle.sha256


def test_columns_are_found_by_name(bundle: Bundle, planted: World) -> None:
    table = planted.matrix.slice(0, 500)
    turned = table.select(table.column_names[::-1]).append_column("another", pa.array(["x"] * 500))
    assert (bundle.chance(turned) == bundle.chance(table)).all()


def test_wrong_columns_are_refused_by_name(bundle: Bundle, planted: World) -> None:
    table = planted.matrix.slice(0, 5)
    at = table.column_names.index("bmi_latest")
    with pytest.raises(BundleError, match="1 column that the model reads: 'bmi_latest'"):
        bundle.chance(table.drop_columns("bmi_latest"))
    with pytest.raises(BundleError, match="2 columns that the model reads: 'age', 'bmi_latest'"):
        bundle.contributions(table.drop_columns(["bmi_latest", "age"]))
    for wrong in (pa.array(["27"] * 5), pa.array([True] * 5), pa.array([0] * 5, pa.date32())):
        with pytest.raises(BundleError, match=r"'bmi_latest' holds \w+"):
            bundle.chance(table.set_column(at, "bmi_latest", wrong))
    with pytest.raises(BundleError, match="infinite"):
        bundle.chance(table.set_column(at, "bmi_latest", pa.array([np.inf] * 5)))
    with pytest.raises(BundleError, match="2 times"):
        bundle.chance(table.append_column("bmi_latest", table["bmi_latest"]))


def test_missing_values_and_whole_numbers_are_read(bundle: Bundle, planted: World) -> None:
    table = planted.matrix.slice(0, 50)
    at = table.column_names.index("age")
    whole = table.set_column(at, "age", table["age"].cast(pa.int32()))
    assert (bundle.raw(whole) == bundle.raw(table)).all()
    nan, null = (table.set_column(at, "age", pa.array([v] * 50, pa.float64())) for v in (np.nan, None))
    assert np.isfinite(bundle.chance(nan)).all()
    assert (bundle.raw(nan) == bundle.raw(null)).all()


def test_an_ethnicity_the_model_does_not_know_is_read_as_unknown(bundle: Bundle, planted: World) -> None:
    table = planted.matrix.slice(0, 200)
    at = table.column_names.index("ethnicity")

    def scored(value: float) -> np.ndarray:
        return bundle.raw(table.set_column(at, "ethnicity", pa.array([value] * 200, pa.float64())))

    for strange in (6.0, -1.0, 2.5, np.nan, 1e9):
        assert (scored(strange) == scored(0.0)).all()
    assert (scored(4.0) != scored(0.0)).any()


def test_what_the_manifest_says(bundle: Bundle) -> None:
    manifest = bundle.manifest
    assert manifest["created_on"] == "2026-10-01"
    assert manifest["data"] == {
        "digest": "d" * 64,
        "index_days": ["2022-07-01", "2023-07-01", "2024-07-01"],
        "practices": 6,
        "counts": manifest["data"]["counts"],
    }
    assert all(count % 5 == 0 for count in manifest["data"]["counts"].values())
    assert manifest["seed"] == 7
    assert manifest["approvals"] == []
    assert set(manifest["versions"]) >= {"python", "lightgbm", "numpy"}
    assert bundle.resolution == {"sbp": ["snomed:271649006"]}
    assert bundle.measures["overall"]["auroc"]["low"] == 0.7
    assert bundle.definition["features"] == list(FEATURES)
    assert bundle.definition["categories"] == {"ethnicity": ["unknown", "white", "mixed", "asian", "black", "other"]}
    assert bundle.definition["constraints"]["visits"] == -1


def test_no_pickle_in_the_folder(bundle: Bundle) -> None:
    for path in folder_of(bundle).iterdir():
        assert path.suffix in {".txt", ".json"}
        path.read_bytes().decode("utf-8")
        with pytest.raises(ValueError, match=r"opcode|exhausted|expected|STOP|not enough|literal|newline"):
            list(pickletools.genops(path.read_bytes()))


def changed(path: tuple[str, ...], value: object) -> Definitions:
    whole = definitions().model_dump()
    place = whole
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return Definitions.model_validate(whole)


def test_definitions_that_ask_otherwise_are_refused(bundle: Bundle) -> None:
    bundle.check_fits(definitions())
    bundle.check_fits(changed(("features", "age", "say"), "Aged {value}"))
    bundle.check_fits(changed(("signals", "sbp", "label"), "Systolic"))
    bundle.check_fits(changed(("codelists", "dx", "codes"), []))  # the label's list is not a feature's
    for path, value, named in (
        (("features", "sbp_latest", "within"), "2 years", "features/sbp_latest"),
        (("signals", "bmi", "plausible"), (12, 80), "signals/bmi"),
        (("codelists", "contact", "codes"), [], "codelists/contact"),
    ):
        with pytest.raises(BundleError, match=named):
            bundle.check_fits(changed(path, value))
    fewer = definitions().model_dump()
    del fewer["features"]["visits"]
    with pytest.raises(BundleError, match="features/visits"):
        bundle.check_fits(Definitions.model_validate(fewer))


def test_a_failed_write_leaves_the_old_bundle(
    copy: Path, bundle: Bundle, trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, content: bytes) -> int:
        raise OSError(28, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(CasefindingError) as caught:
        write_bundle(trained, {}, definitions(), copy)
    assert caught.value.exit_code == 17
    assert read_bundle(copy).sha256 == bundle.sha256
    assert [path.name for path in copy.parent.iterdir()] == ["copy"]


def test_the_measures_of_a_judgement_hold_no_count_of_1_to_7_people(
    trained: Trained, planted: World, tmp_path: Path
) -> None:
    """As the job writes them: small groups are there, their numbers and the rates that rest on them are not."""
    rows = trained.out_of_fold
    age = dict(zip(planted.base["person"].to_pylist(), planted.base["age"].to_pylist(), strict=True))
    groups = pa.table(
        {
            "age": [age[person] for person in rows["person"].to_pylist()],
            "sex": ["unknown"] * 3 + ["female"] * (rows.num_rows - 3),
            "ethnicity": ["mixed"] * 6 + ["white"] * (rows.num_rows - 6),
            "imd_decile": [1] * rows.num_rows,
        }
    )
    capacity = dict.fromkeys(rows["practice"].to_pylist(), 2)
    judgement = judge("hypertension", rows, capacity=capacity, bootstrap=20, seed=1, groups=groups)
    folder = write_bundle(trained, judgement.as_dict(), definitions(), tmp_path / "b")
    measures = json.loads((folder / "measures.json").read_text())
    assert next(entry for entry in judgement.groups["sex"] if entry["group"] == "unknown")["people"] == 3
    assert next(entry for entry in measures["groups"]["sex"] if entry["group"] == "unknown")["people"] is None
    counts = re.findall(
        r'"(?:rows|people|cases|listed|listed_cases|places)": ?(\d+|null)', (folder / "measures.json").read_text()
    )
    assert len(counts) > 50
    assert not {count for count in counts if count != "null" and int(count) % 5}


def test_measures_are_written_as_json_says_them() -> None:
    assert plain({"a": np.array([1.0, np.nan]), 2: (np.int64(3), True, None, "x")}) == {
        "a": [1.0, None],
        "2": [3, True, None, "x"],
    }
