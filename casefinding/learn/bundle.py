"""The bundle: a model as data. Text and JSON only, every byte accounted for, nothing in it runs."""

from __future__ import annotations

import hashlib
import json
import math
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from casefinding.definitions.shapes import Definitions
from casefinding.disclosure import rounded
from casefinding.errors import BundleError
from casefinding.files import canonical_json, new_folder, sha256_of, writing
from casefinding.learn.calibrate import Calibration
from casefinding.learn.differences import differences
from casefinding.learn.fit import Trained
from casefinding.learn.scorer import Scorer
from casefinding.learn.trees import from_text

FORMAT = 2
MANIFEST = "MANIFEST.json"
FILES = (
    "calibration.json",
    "certificate.json",
    "definition.json",
    "measures.json",
    "model.txt",
    "resolution.json",
)
NO_CERTIFICATE = "not possible: the sentinel was not asked"
LIBRARIES = ("lightgbm", "numpy", "pyarrow", "scikit-learn")
_LARGEST = 64 * 2**20  # bytes of one file; a bundle is a few hundred kilobytes


@dataclass(frozen=True)
class Bundle:
    """A model read back from its folder, after every byte was checked."""

    condition: str
    features: tuple[str, ...]
    definition: Mapping[str, Any] = field(repr=False)
    manifest: Mapping[str, Any] = field(repr=False)
    measures: Mapping[str, Any] = field(repr=False)
    resolution: Mapping[str, list[str]] = field(repr=False)
    certificate: Mapping[str, Any] = field(repr=False)
    model: Scorer = field(repr=False)
    folder: Path | None = None

    @property
    def sha256(self) -> str:
        """The digest that stands for the whole bundle: it covers every file's digest and every word of the manifest."""
        return str(self.manifest["sha256"])

    @property
    def calibration(self) -> Calibration:
        return self.model.calibration

    def raw(self, table: pa.Table) -> np.ndarray:
        """The raw score (log-odds before calibration), one a row; see scorer.Scorer for columns and errors."""
        return self.model.raw(table)

    def chance(self, table: pa.Table) -> np.ndarray:
        """The calibrated chance, 0 to 1, one a row."""
        return self.model.chance(table)

    def contributions(self, table: pa.Table) -> tuple[np.ndarray, float]:
        """What each feature adds to the calibrated log-odds (rows x features), and the base they add to."""
        return self.model.contributions(table)

    def check_fits(self, definitions: Definitions) -> None:
        """Raise BundleError naming what was changed since training, if these definitions ask the features otherwise.

        Compared is what the features mean (words, windows, signals, units, ranges, codes); how they are worded, who
        reviewed a code list, rules and leave-outs may have changed.
        """
        differ = differences(self.definition["lock"], definitions, self.features)
        if differ:
            shown = ", ".join(differ[:5]) + (" ..." if len(differ) > 5 else "")
            raise BundleError(
                f"the bundle for {self.condition} was trained on other definitions: {len(differ)} differ ({shown})",
                where=str(self.folder or ""),
                hint="train again, or use the definitions that the bundle was trained on",
            )


def write_bundle(
    trained: Trained,
    measures: Mapping[str, Any],
    definitions: Definitions,
    folder: Path,
    *,
    certificate: Mapping[str, Any] | None = None,
) -> Path:
    """Write a trained model as a bundle folder, whole or not at all; the same training gives the same bytes.

    `measures`: anything JSON can say (numpy numbers welcome; NaN becomes null), written as it is: hand in what may be
    published (Judgement.as_dict). `certificate`: what the leakage sentinel found (Certificate.as_dict); without one the
    bundle says that nobody looked. The counts of the training itself are rounded here. Dated by the config's index day,
    never by the clock. Raises WriteError.
    """
    scorer = trained.model
    contents = {
        "model.txt": trained.text,
        "calibration.json": canonical_json(scorer.calibration.as_json()),
        "certificate.json": canonical_json(
            plain(certificate or {"condition": trained.condition, "verdict": NO_CERTIFICATE, "checks": {}})
        ),
        "definition.json": canonical_json(
            plain(
                {
                    "condition": trained.condition,
                    "features": list(trained.features),
                    "categories": {name: list(names) for name, names in scorer.categories.items()},
                    "constraints": dict(zip(trained.features, trained.constraints, strict=True)),
                    "lock": _locked(definitions, trained.condition),
                }
            )
        ),
        "measures.json": canonical_json(plain(measures)),
        "resolution.json": canonical_json(plain(trained.resolution)),
    }
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "condition": trained.condition,
        "created_on": trained.created_on.isoformat(),
        "files": {name: hashlib.sha256(text.encode()).hexdigest() for name, text in contents.items()},
        "versions": {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}},
        "seed": trained.seed,
        "data": {
            "digest": trained.data_digest,
            "index_days": [day.isoformat() for day in trained.index_days],
            "practices": trained.practices,
            "counts": {name: rounded(count) for name, count in trained.counts.items()},
        },
        "training": {
            **trained.learner.model_dump(mode="json"),
            "folds": trained.folds,
            "judged at a later time": trained.by_time,
            "judged in unseen practices": trained.by_practice,
            "asked": trained.design,
            "told by outcomes of earlier lists": {name: rounded(count) for name, count in trained.selection.items()},
            "learned from": trained.learned_from,
            "ways": {name: _publishable(facts) for name, facts in trained.ways.items()},
        },
        "approvals": [],
    }
    manifest["sha256"] = _self_digest(manifest)
    with new_folder(Path(folder)) as fresh, writing():
        for name, text in contents.items():
            (fresh / name).write_bytes(text.encode())
        (fresh / MANIFEST).write_bytes(canonical_json(manifest).encode())
    return Path(folder)


def read_bundle(folder: Path | str, *, expected: str | None = None) -> Bundle:
    """Read a bundle after checking every byte of it.

    `expected`: the bundle's sha256 where it is known from elsewhere (a registry's tag, a run's manifest): digests
    inside the folder show damage and carelessness, only one kept outside shows an intruder who recomputed them.
    Raises BundleError for a missing, added, altered or unreadable file.
    """
    folder = Path(folder)
    where = str(folder)
    if not folder.is_dir():
        raise BundleError("there is no bundle here", where=where, hint="name the folder that holds MANIFEST.json")
    there = {path.name for path in folder.iterdir()}
    if MANIFEST not in there:
        raise BundleError(f"{MANIFEST} is missing", where=where, hint="name the folder that `train` wrote")
    manifest = _manifest(folder)
    if expected is not None and manifest["sha256"] != expected:
        raise BundleError("this is another bundle than the one that was registered", where=where, hint="fetch it again")
    for name in sorted(set(FILES) - there):
        raise BundleError(f"{name} is missing", where=where, hint="fetch the bundle again")
    for name in sorted(there - set(FILES) - {MANIFEST}):
        raise BundleError(f"{name} does not belong to the bundle", where=where, hint="remove it")
    for name in FILES:
        path = folder / name
        if path.is_symlink() or not path.is_file() or path.stat().st_size > _LARGEST:
            raise BundleError(f"{name} is not a plain file of a bundle's size", where=where, hint="fetch it again")
        if sha256_of(path) != manifest["files"][name]:
            raise BundleError(f"{name} was altered", where=where, hint="fetch the bundle again, or train again")
    return _assembled(folder, manifest)


def _manifest(folder: Path) -> dict[str, Any]:
    """The manifest, exactly as it was written."""
    try:
        content = (folder / MANIFEST).read_bytes()
        manifest = json.loads(content)
        sound = (
            isinstance(manifest, dict)
            and manifest.get("sha256") == _self_digest(manifest)
            and canonical_json(manifest).encode() == content
        )
    except (ValueError, OSError, RecursionError):
        sound, manifest = False, {}
    if not sound:
        raise BundleError(f"{MANIFEST} was altered", where=str(folder), hint="fetch the bundle again, or train again")
    if manifest.get("format") != FORMAT or set(manifest.get("files", ())) != set(FILES):
        raise BundleError(
            f"the bundle has format {manifest.get('format')}, and this version reads {FORMAT}",
            where=str(folder),
            hint="train again with this version",
        )
    return manifest


def _assembled(folder: Path, manifest: dict[str, Any]) -> Bundle:
    """The parts put together; whatever does not fit is a BundleError."""
    from lightgbm.basic import LightGBMError

    try:
        parts = {name: json.loads((folder / name).read_bytes()) for name in FILES if name.endswith(".json")}
        definition, calibration = parts["definition.json"], parts["calibration.json"]
        certificate = parts["certificate.json"]
        booster = from_text((folder / "model.txt").read_text(encoding="utf-8"))
        features = tuple(definition["features"])
        slope, intercept = float(calibration["slope"]), float(calibration["intercept"])
        if tuple(booster.feature_name()) != features or not (math.isfinite(slope) and math.isfinite(intercept)):
            raise ValueError("trees, calibration and definition do not belong together")
        if certificate["condition"] != definition["condition"] or certificate["verdict"].startswith("failed"):
            raise ValueError("the certificate is of another model, or says that its label leaks")
        scorer = Scorer(
            features=features,
            booster=booster,
            calibration=Calibration(slope=slope, intercept=intercept),
            categories={name: tuple(names) for name, names in definition["categories"].items()},
        )
        return Bundle(
            condition=str(definition["condition"]),
            features=features,
            definition=definition,
            manifest=manifest,
            measures=parts["measures.json"],
            resolution=parts["resolution.json"],
            certificate=certificate,
            model=scorer,
            folder=folder,
        )
    except (ValueError, KeyError, TypeError, AttributeError, LightGBMError) as problem:
        raise BundleError(
            "the bundle's parts do not fit together", where=str(folder), hint="train again with this version"
        ) from problem


def _publishable(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts of a way of learning with its counts rounded."""
    counts = ("rows", "found", "eligible", "verified", "effective")
    return {
        name: _publishable(value) if isinstance(value, Mapping) else rounded(round(value)) if name in counts else value
        for name, value in facts.items()
    }


def plain(value: Any) -> Any:
    """Numbers of numpy and tuples as JSON says them; NaN and infinity become None.

    >>> plain({"a": (np.float64("nan"), np.int64(3))})
    {'a': [None, 3]}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (str, bool, int)) or value is None:
        return value
    if isinstance(value, Iterable):
        return [plain(part) for part in value]
    return str(value)


def _self_digest(manifest: Mapping[str, Any]) -> str:
    rest = {name: value for name, value in manifest.items() if name != "sha256"}
    return hashlib.sha256(canonical_json(rest).encode()).hexdigest()


def _locked(definitions: Definitions, condition: str) -> dict[str, Any]:
    """Everything the condition reaches, as JSON gives it back."""
    from casefinding.definitions.lock import lock

    return json.loads(canonical_json(plain(lock(definitions, condition=condition))))
