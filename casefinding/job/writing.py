"""Everything a run leaves behind, from what its stages found."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from casefinding.definitions.basics import span_text
from casefinding.definitions.config import Config
from casefinding.definitions.shapes import Definitions, Model
from casefinding.disclosure import people_words
from casefinding.files import writing
from casefinding.job.coming_back import came_back
from casefinding.job.edition import edition_of, facts_of
from casefinding.job.overview import overview
from casefinding.job.practice_lists import practice_lists
from casefinding.job.records import Prepared
from casefinding.job.scoring import Scored
from casefinding.job.training import Learnt
from casefinding.recall.loop.holdout import described
from casefinding.recall.loop.ledger import Ledger
from casefinding.recall.loop.listed import listed
from casefinding.recall.loop.received import standing
from casefinding.recall.unmeasured import never_measured
from casefinding.records.quality.assessment import assess_all
from casefinding.report.board import write_board
from casefinding.report.expected import Found, write_expected
from casefinding.report.model import ASKED, asked_at, write_model
from casefinding.report.network import write_index, write_manifest
from casefinding.report.overview import write_network
from casefinding.report.practice import write_practice
from casefinding.report.quality import write_quality
from casefinding.report.shapes import Edition, ModelStory
from casefinding.report.sign_off import SIGN_OFF_PAGE, write_sign_off


def write_everything(
    out: Path,
    config: Config,
    known: Definitions,
    prepared: Prepared,
    learnt: Mapping[str, Learnt],
    bundles: Mapping[str, Any],
    scored: Scored,
    ledger: Ledger | None = None,
) -> pa.Table:
    """Write practices/, models/, the pages beside them, the tables and manifest.json into a fresh folder.

    Returns the lists as the ledger remembers them (ledger.LISTED). icb/ holds what may leave the network, and nothing
    else does.
    """
    store = prepared.store
    facts = {
        **facts_of(config, store, known),
        "bundles": {condition: bundle.sha256 for condition, bundle in bundles.items()},
        "ledger": ledger.digest(config.index_day, standing(ledger)) if ledger is not None else None,
        "holdout": described(scored.base, config.holdout, scored.held_out),
    }
    edition = edition_of(config, store, facts)
    issued = listed(scored.lines, scored.views, scored.base, edition.list_id, config.index_day)
    back = came_back(ledger, issued, known, store, scored, config)
    lists = practice_lists(config, known, store, scored, back)
    written = [(one, write_practice(one, edition, out / "practices")) for one in lists]
    seen = overview(config, store, scored, back, {one.practice: files["html"] for one, files in written})
    write_network(seen, edition, out)
    write_board(seen, edition, out / "icb")
    stories = [_story(condition, known, learnt[condition], bundles, scored) for condition in config.conditions]
    for story in stories:
        write_model(story, edition, out / "models")
    quality = _quality(known, prepared, config, edition, out)
    write_index(written, stories, quality, edition, out)
    expected = [_found(view, scored) for view in scored.views]
    write_expected(expected, edition, out)
    facts["expected and found"] = {one.condition: one.as_json() for one in expected}
    write_sign_off(known, out / SIGN_OFF_PAGE, up="index.html")
    with writing():
        pq.write_table(scored.scores, out / "scores.parquet", compression="zstd")
        pq.write_table(issued, out / "lists.parquet", compression="zstd")
    facts["choice"] = _choice(scored)
    write_manifest(facts, edition, out)
    return issued


def _choice(scored: Scored) -> dict[str, Any]:
    """How good the choice within capacity is: expected cases as it is, without floors, and by chance alone."""
    chosen = scored.chosen
    return {
        "gap": chosen.gap,
        "expected cases": {name: round(cases, 2) for name, cases in chosen.expected.items()},
        "without equity floors": {name: round(cases, 2) for name, cases in chosen.without_floors.items()},
        "by chance alone": {name: round(cases, 2) for name, cases in chosen.plain.items()},
        "floors met": all(one.met for one in chosen.floors),
    }


def _found(view: Any, scored: Scored) -> Found:
    """What is expected, what the chances add up to and who was never measured, as it may be published."""
    held = scored.anchors.get(view.condition)
    groups = never_measured(view, scored.base, scored.chosen.places[view.condition])
    return Found(
        condition=view.condition,
        label=view.model.label,
        expected=view.model.expected,
        anchor=held.published() if held is not None else None,
        unmeasured=[group.published() for group in groups],
    )


def _story(condition: str, known: Definitions, one: Learnt, bundles: Mapping[str, Any], scored: Scored) -> ModelStory:
    model = known.models[condition]
    view = next(view for view in scored.views if view.condition == condition)
    bundle = bundles.get(condition)
    importance = []
    if one.trained is not None:
        rows = sorted(one.trained.importance.to_pylist(), key=lambda row: -row["moves"])[:15]
        importance = [(known.features[row["feature"]].label, row["moves"]) for row in rows]
    facts = dict(one.facts or {})
    shown = {
        "index days": ", ".join(facts.get("index days", ())),
        "gap": f"{span_text(model.outcome.gap)} after the index day",
        "horizon": span_text(model.outcome.horizon),
        "what happened": _counted(facts.get("outcomes", {})),
        "left out of training": _counted(facts.get("left out of training", {})),
        ASKED: asked_at(one.trained.by_time) if one.trained is not None else "",
        **_taught(one, model),
        "outcomes of earlier lists": _counted(facts.get("outcomes of earlier lists", {})),
    }
    return ModelStory(
        condition=condition,
        label=model.label,
        about=model.about,
        chance_of=model.chance_of,
        flow=[(step.label, step.left_out, step.remaining) for step in scored.flows[condition].steps],
        training={name: value for name, value in shown.items() if value},
        not_trained=one.why_not,
        judgement=one.judgement,
        importance=importance,
        rules=[
            {
                "id": rule.id, "lane": rule.lane, "label": rule.label, "do": rule.do, "source": rule.source,
                "status": rule.status, "people": int(view.flags[rule.id].sum()),
            }
            for rule in model.rules
        ],
        leaks=one.certificate.as_dict() if one.certificate is not None else None,
        bundle={"SHA-256": bundle.sha256, "Features": str(len(bundle.features))} if bundle else {},
    )  # fmt: skip


def _taught(one: Learnt, model: Model) -> dict[str, str]:
    """What the model learnt from, and every fallback that was taken."""
    if one.trained is None:
        return {}
    facts = one.trained.ways[one.trained.learned_from]
    rows, found = people_words(facts["rows"]), people_words(round(facts["found"]))
    told = {"learnt from": f"{one.trained.learned_from}: {rows} rows, in which it was found {found} times"}
    if model.verification is not None:
        told["looked at means"] = model.verification.label
    share = facts.get("share of the coded model")
    if share is not None:
        told["the coded model beside it"] = f"counts {share:g} times" if share else "told nothing more: left out"
    overlap = facts.get("overlap")
    if overlap:
        told["overlap"] = (
            f"{overlap['verified'] / overlap['eligible']:.0%} were looked at; weighted to stand for all they count as "
            f"{people_words(round(overlap['effective']))}; {overlap['outside']:.0%} are less likely to be looked at "
            "than nearly all who were" + (f". Weights not used: {overlap['why_not']}" if overlap["why_not"] else "")
        )
    if (one.facts or {}).get("design"):
        told["thin records"] = str((one.facts or {})["design"])
    if not one.trained.by_practice:
        told["judged on"] = "unseen people, not unseen practices: there are too few practices, or too uneven ones"
    return told


def _counted(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{name}: {people_words(number)}" for name, number in numbers.items())


def _quality(known: Definitions, prepared: Prepared, config: Config, edition: Edition, out: Path) -> dict[str, int]:
    found = assess_all(prepared.store, known, config.quality)
    write_quality(found, prepared.store, known, config.conditions, edition, out / "quality.html", up="index.html")
    return {"refused_rows": sum(found.held.refused.values()), "held_values": found.held.held.num_rows}
