"""Records in: simulate or take an extract, bring it into a store, say what was refused."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from casefinding.definitions.config import Records
from casefinding.errors import ConfigError, WriteError
from casefinding.files import canonical_json, write_text
from casefinding.job.progress import Stages
from casefinding.records.store import Store


@dataclass(frozen=True)
class Prepared:
    """A store, and the truth beside it where the records were simulated."""

    store: Store
    truth: Path | None


def prepare(records: Records, home: Path, stages: Stages, *, reuse: bool = False) -> Prepared:
    """Make or read the extract of a config and bring it into `home`/store.

    `reuse`: take what stands in `home` if it was made from the same `records` section and the same files, as training
    does; a new monthly extract at the same place is brought in anew.
    """
    from casefinding.records.sources import ingest

    if home.exists() and not home.is_dir():
        raise WriteError("the folder for extract and store is a file", where=str(home), hint="name another with --work")
    made_from = canonical_json([records.model_dump(mode="json", by_alias=True), _parts(records)])
    mark = home / "made-from.json"
    truth = home / "truth" if records.simulate else None
    if reuse and mark.exists() and mark.read_text(encoding="utf-8") == made_from:
        return Prepared(Store.open(home / "store"), truth)
    mark.unlink(missing_ok=True)
    if records.simulate:
        extract, kind = home / "extract", "native"
        with stages.stage("Simulate people") as tick:
            _simulate(extract, home / "truth", records, tick)
    elif records.path:
        extract, kind = Path(records.path), records.kind
    else:
        raise ConfigError("no records", where="records", hint="give 'path' and 'kind', or 'simulate', or --records")
    with stages.stage("Bring in the records") as tick:
        store = ingest(kind, extract, home / "store", shard_people=records.shard_people, progress=tick)
    write_text(mark, made_from)
    return Prepared(store, truth)


def _parts(records: Records) -> list[tuple[str, int, int]]:
    """Name, size and time of change of every file of an extract."""
    folder = Path(records.path) if records.path else None
    if folder is None or not folder.is_dir():
        return []
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [(path.relative_to(folder).as_posix(), path.stat().st_size, path.stat().st_mtime_ns) for path in files]


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


def bring_in(extract: Path, store: Path, *, kind: str, definitions: Path | None, quiet: bool = False) -> None:
    """`casefinding ingest`: a store, and a summary of what was refused and held."""
    from casefinding.definitions.read import read_definitions
    from casefinding.records.quality import assess
    from casefinding.records.sources import ingest

    known = read_definitions(definitions)
    stages = Stages(quiet=quiet)
    with stages.stage("Bring in the records") as tick:
        made = ingest(kind, extract, store, progress=tick)
    with stages.stage("Assess their quality"):
        quality = assess(made, known)
    print(f"{made.people:,} people, data through {made.data_through}, digest {made.digest[:16]}")
    for reason, number in sorted(quality.refused.items(), key=lambda entry: -entry[1]):
        print(f"{number:>12,}  {reason}")
