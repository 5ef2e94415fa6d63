"""Records in: simulate or take an extract, bring it into a store, say what was refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from casefinding.definitions.config import Config, Records
from casefinding.errors import ConfigError, WriteError
from casefinding.files import canonical_json, write_text
from casefinding.job.progress import Stages
from casefinding.records.store import Store


@dataclass(frozen=True)
class Prepared:
    """A store, and the truth beside it where the records were simulated."""

    store: Store
    truth: Path | None


def prepare(config: Config, home: Path, stages: Stages, *, reuse: bool = False) -> Prepared:
    """Make or read the extract of a config and bring it into `home`/store.

    `reuse`: take what stands in `home` if it was made from the same `records` section and the same files, as training
    does; a new monthly extract at the same place is brought in anew.
    """
    from casefinding.records.sources import ingest

    records = config.records
    if home.exists() and not home.is_dir():
        raise WriteError("the folder for extract and store is a file", where=str(home), hint="name another with --work")
    made_from = canonical_json([records.model_dump(mode="json", by_alias=True), config.direct_care, _parts(records)])
    mark = home / "made-from.json"
    truth = home / "truth" if records.simulate else None
    known = records.path is None or "://" not in records.path  # whether a database has changed cannot be seen
    if reuse and known and mark.exists() and mark.read_text(encoding="utf-8") == made_from:
        return Prepared(Store.open(home / "store"), truth)
    mark.unlink(missing_ok=True)
    if records.simulate:
        extract, kind = home / "extract", "native"
        with stages.stage("Simulate people") as tick:
            _simulate(extract, home / "truth", records, tick)
    elif records.path:
        extract, kind = records.path, records.kind
    else:
        raise ConfigError("no records", where="records", hint="give 'path' and 'kind', or 'simulate', or --records")
    with stages.stage("Bring in the records") as tick:
        store = ingest(
            kind,
            extract,
            home / "store",
            shard_people=records.shard_people,
            at_practice=records.at_practice,
            direct_care=config.direct_care,
            areas=records.areas,
            progress=tick,
        )
    write_text(mark, made_from)
    return Prepared(store, truth)


def _parts(records: Records) -> list[tuple[str, int, int]]:
    """Name, size and time of change of every file of an extract and of the area measures with their declarations; of a
    database's address nothing can be said."""
    folder = Path(records.path) if records.path and "://" not in records.path else None
    named: list[tuple[str, Path]] = []
    if folder is not None and folder.exists():
        files = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else [folder]
        named += [(path.relative_to(folder).as_posix(), path) for path in files]
    for area in map(Path, records.areas):
        named += [(path.name, path) for path in sorted(area.parent.glob(f"{area.name.split('.')[0]}.*"))]
    return [(name, path.stat().st_size, path.stat().st_mtime_ns) for name, path in named]


def _simulate(extract: Path, truth: Path, records: Records, tick) -> None:
    from casefinding.synthetic.lookups import write_lookups
    from casefinding.synthetic.simulate import simulate

    asked = records.simulate
    assert asked is not None
    simulate(asked.people, asked.practices, asked.seed, extract, truth, progress=tick)
    write_lookups(extract, extract.with_name("lookups"), asked.seed)


def simulate_people(out: Path, *, people: int, practices: int, seed: int, quiet: bool = False) -> None:
    """`casefinding simulate`: an extract in `out`, its truth in `out`-truth, the lookups of its practices beside."""
    from casefinding.synthetic.lookups import write_lookups
    from casefinding.synthetic.simulate import simulate

    stages = Stages(quiet=quiet)
    truth = out.with_name(f"{out.name}-truth")
    with stages.stage("Simulate people") as tick:
        made = simulate(people, practices, seed, out, truth, progress=tick)
    lookups = out.with_name(f"{out.name}-lookups")
    numbered = write_lookups(out, lookups, seed)
    print(f"{made.people + made.planted:,} people of {made.practices} practices, {made.events:,} events")
    print(f"extract: {out}\ntruth:   {truth}  (for studies only; no command but the judge's part of a run reads it)")
    if numbered:
        print(f"lookups: {lookups}  (made-up NHS numbers, one file a practice: see docs/how-to/reidentify.md)")
    else:
        print("lookups: none, there are not so many NHS numbers kept for tests")


def bring_in(
    extract: str,
    store: Path,
    *,
    kind: str,
    at_practice: bool = False,
    direct_care: bool = False,
    through: dt.date | None = None,
    areas: Sequence[Path] = (),
    definitions: Path | None,
    quiet: bool = False,
) -> None:
    """`casefinding ingest`: a store, and a summary of what was refused, left and held."""
    from casefinding.definitions.read import read_definitions
    from casefinding.records.quality.held import assess
    from casefinding.records.sources import ingest

    known = read_definitions(definitions)
    stages = Stages(quiet=quiet)
    with stages.stage("Bring in the records") as tick:
        made = ingest(
            kind, extract, store, at_practice=at_practice, direct_care=direct_care, data_through=through, areas=areas,
            progress=tick,
        )  # fmt: skip
    with stages.stage("Assess their quality"):
        quality = assess(made, known)
    counts = made.counts()
    read, kept, refused, left = (
        sum(one["read"] for one in counts["balance"].values()),
        sum(one["kept"] for one in counts["balance"].values()),
        sum(one["refused"] for one in counts["balance"].values()),
        sum(counts["left"].values()),
    )
    print(f"{made.people:,} people, data through {made.data_through}, digest {made.digest[:16]}")
    print(f"{read:,} rows read = {kept:,} kept + {refused:,} refused + {left:,} left on purpose")
    for what, reasons in (("refused", quality.refused), ("left", counts["left"])):
        for reason, number in sorted(reasons.items(), key=lambda entry: -entry[1]):
            print(f"{number:>12,}  {what}: {reason}")
    print(f"{quality.held.num_rows:>12,}  readings kept and not used (see casefinding quality {store})")
