"""What the sentinel asks, one function a check; each gives its verdict, a sentence, thresholds and figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from casefinding.disclosure import rounded
from casefinding.learn.sentinel.bench import Bench, Trial, Tried, too_few
from casefinding.learn.sentinel.lagged import Twins
from casefinding.learn.sentinel.leaks import CEILING, PURE, PURE_CASES, Alone, alone, canaries
from casefinding.learn.sentinel.ranking import Z95, Auroc
from casefinding.learn.trees import FEWEST_PEOPLE

PASSED, SUSPECT, FAILED, NOT_POSSIBLE = "passed", "suspect", "failed", "not possible"
STEEP = 0.05
"""A fall from 30 to 180 days beyond that of age and sex, two and a half times what specification 1.3 lets an item cost.
Age and sex see no work-up: what they lose is due to other people at risk and a longer wait, not to leakage."""
HIDDEN = 0.02
"""Specification 1.3: a larger drop without the last days is suspect."""
SHUFFLED = 0.02
"""How near to 0.5 a shuffled label must come where there are cases enough to tell."""
MOST_SHUFFLES = 6
SHUFFLED_TREES = 20
NEARLY_ALL = 0.8
"""A feature with so much of the gain of a forest that ranks TOO_WELL is the label, in whatever disguise."""
TOO_WELL = 0.95
MOST_GROUPS = 20
_SHOWN = 5

Check = dict[str, Any]


def not_possible(why: str, **more: Any) -> Check:
    """A check that could not be made, and why."""
    return {"verdict": f"{NOT_POSSIBLE}: {why}", "says": f"could not be checked: {why}", **more}


def telling_check(bench: Bench, screened: list[Alone]) -> Check:
    """Features that tell the outcome: each by itself, and in a forest, where it ranks too well.

    `screened`: leaks.screen of the bench's own columns. The outcome is yes or no: evidence counts from one half.
    """
    found = {
        "thresholds": {
            "auroc alone below": CEILING,
            "share of all cases told below": PURE_CASES,
            "told means cases among people with a value, at least": PURE,
            "auroc of a forest that calls for a look": TOO_WELL,
            "share of its gain that one feature may have, below": NEARLY_ALL,
        },
        "best alone": [one.as_dict() for one in screened[:_SHOWN]],
        "features": len(bench.forest.features),
    }
    leaks = list({one.feature: (one.feature, one.why) for one in reversed(screened) if one.leaks}.values())[::-1]
    if not leaks:
        whole = bench.run([Trial(*bench.outcome, sharp=True)])[0]
        found["auroc of the forest"] = whole.auroc.as_dict(bench.person)
        leaks = _carried(whole, bench.forest.features)
    if not leaks:
        return {"verdict": PASSED, "says": "No feature tells the outcome by itself.", **found}
    names = ", ".join(f"'{name}'" for name, _ in leaks[:_SHOWN])
    return {
        "verdict": FAILED,
        "says": f"a label that leaks: {names} tell{'s' if len(leaks) == 1 else ''} the outcome ({leaks[0][1]})",
        "hint": "enter its signal in the leakage register (banned, or lagged by the gap), or mend its codes",
        "named": [name for name, _ in leaks],
        **found,
    }


def _carried(tried: Tried, features: Sequence[str]) -> list[tuple[str, str]]:
    """The feature that carries nearly all that a forest ranks, where it ranks too well."""
    if not tried.auroc.value >= TOO_WELL:
        return []
    why = f"it carries nearly all of an AUROC of {tried.auroc.value:.3f}"
    return [(name, why) for name, share in zip(features, tried.gain, strict=True) if share >= NEARLY_ALL]


def canary_check(bench: Bench, seed: int) -> Check:
    """Features made from the outcome are put among the others; every one must be refused."""
    label, weight = bench.outcome
    there = weight > 0
    made = canaries(np.where(there, label, 0.0), np.where(there, bench.days_to_code, np.nan), seed)
    found = []
    for name, column in made.items():
        one = alone(name, column[there], label[there], weight[there])
        found.append({"canary": name, "auroc alone": round(one.auroc, 4), "refused": one.leaks, "because": one.why})
    if bench.fewest_learned() >= 2 * FEWEST_PEOPLE * bench.forest.times:  # fewer fill no leaf, and no tree can see them
        found.append(_among_others(bench, *next(iter(made.items()))))
    missed = [str(one["canary"]) for one in found if not one["refused"]]
    if not missed:
        return {"verdict": PASSED, "says": f"All {len(found)} canaries were refused.", "canaries": found}
    return {
        "verdict": SUSPECT,
        "says": f"the alarm did not ring for a canary: {missed[0]}",
        "hint": "this run's labels are too odd to be watched over: look at the outcome's definition and the censoring",
        "canaries": found,
    }


def _among_others(bench: Bench, name: str, column: np.ndarray) -> Check:
    """One canary as one feature more of a forest."""
    forest = bench.forest
    beside = replace(
        forest,
        x=np.column_stack([forest.x, column]),
        features=(*forest.features, "canary"),
        constraints=(*forest.constraints, 0),
    )
    tried = bench.run([Trial(*bench.outcome, forest=beside, sharp=True)])[0]
    carried = _carried(tried, beside.features)
    return {
        "canary": f"{name}, among the other features of a forest",
        "auroc of the forest": tried.auroc.as_dict(bench.person),
        "refused": bool(carried),
        "because": carried[0][1] if carried else "",
    }


def gap_check(bench: Bench, first: str = "30 days", last: str = "180 days") -> Check:
    """The code predicted from the same people and features with its gap moved; steep fall means work-up leakage.

    Only index days from which even the longest gap and the horizon end within the data.
    """
    found: Check = {
        "thresholds": {"fall beyond that of age and sex at most": STEEP, "between": [first, last]},
    }
    gaps = [key for key, (_, weight) in bench.coded.items() if (weight > 0).any()]
    if last not in gaps or first not in gaps:
        return not_possible(f"the records end before a gap of {last} and the horizon are over", **found)
    seen = np.logical_and.reduce([np.isin(bench.day, np.unique(bench.day[bench.coded[key][1] > 0])) for key in gaps])
    pairs = {key: (label, np.where(seen, weight, 0.0)) for key, (label, weight) in bench.coded.items() if key in gaps}
    few = [f"{why} at a gap of {key}" for key, pair in pairs.items() if (why := too_few(*pair))]
    if few:
        return not_possible(few[0], **found)
    tried = dict(zip(gaps, bench.run([Trial(*pairs[key]) for key in gaps]), strict=True))
    plain = {key: bench.age_and_sex(*pairs[key]) for key in gaps}
    found["gaps"] = [
        {
            "gap": key,
            "cases": rounded(int((pairs[key][0] * (pairs[key][1] > 0)).sum())),
            "auroc": tried[key].auroc.as_dict(bench.person),
            "auroc of age and sex": plain[key].as_dict(bench.person),
        }
        for key in gaps
    ]
    found["index days"] = [str(day) for day in np.unique(bench.day[seen])]
    fall = tried[first].auroc - tried[last].auroc
    beyond = fall - (plain[first] - plain[last])
    figures = beyond.as_dict(bench.person)
    found |= {"fall": fall.as_dict(bench.person), "fall beyond age and sex": figures}
    figure = f"{figures['value']:.3f} ({figures['low']:.3f} to {figures['high']:.3f})"
    if beyond.value > STEEP and figures["low"] > 0:
        says = f"From a gap of {first} to {last} the AUROC falls by {figure} more than that of age and sex: "
        return {"verdict": SUSPECT, "says": says + "some features may be the work-up of the diagnosis.", **found}
    says = f"From a gap of {first} to {last} the AUROC falls by {figure} beyond that of age and sex: no steep fall."
    return {"verdict": PASSED, "says": says, **found}


def hidden_check(bench: Bench, twins: Twins, matrix: pa.Table | None) -> Check:
    """Refit with the last days hidden from every feature; where that costs much, signal by signal.

    `matrix`: the twins of the bench's rows.
    """
    found: Check = {"thresholds": {"drop at most": HIDDEN}, "hidden": f"the last {twins.hidden} before the index day"}
    if not twins.of:
        return {"verdict": PASSED, "says": f"No feature sees {found['hidden']}.", **found}
    if matrix is None:
        return not_possible("the features were not made a second time", **found)
    forest, pair = bench.forest, bench.learned
    at = {name: place for place, name in enumerate(forest.features)}
    columns = {
        name: np.full(len(forest.x), np.nan) if twin is None else matrix[twin].to_numpy(zero_copy_only=False)
        for name, twin in twins.of.items()
    }

    def without(names: Iterable[str]) -> Trial:
        x = forest.x.copy()
        for name in names:
            x[:, at[name]] = columns[name]
        return Trial(*pair, forest=replace(forest, x=x))

    whole, hidden = bench.whole(), bench.run([without(twins.of)])[0]
    drop = whole.auroc - hidden.auroc
    found |= {"features": len(twins.of), "auroc": whole.auroc.as_dict(bench.person), "drop": drop.as_dict(bench.person)}
    if not _dropped(drop, bench):
        says = f"Without {found['hidden']} the AUROC drops by {drop.value:.3f}."
        return {"verdict": PASSED, "says": says, **found}
    gained = {signal: sum(float(whole.gain[at[name]]) for name in names) for signal, names in twins.signals.items()}
    order = sorted(gained, key=lambda signal: (-gained[signal], signal))
    groups = [(signal, list(twins.signals[signal])) for signal in order[:MOST_GROUPS]]
    rest = [name for signal in order[MOST_GROUPS:] for name in twins.signals[signal]]
    groups += [("all others together", rest)] if rest else []
    drops = [whole.auroc - one.auroc for one in bench.run([without(names) for _, names in groups])]
    found["one by one"] = [
        {
            "signal": signal,
            "features": names,
            "drop": one.as_dict(bench.person),
            "verdict": SUSPECT if _dropped(one, bench) else PASSED,
        }
        for (signal, names), one in sorted(zip(groups, drops, strict=True), key=lambda pair: -pair[1].value)
    ]
    named = [str(one["signal"]) for one in found["one by one"] if one["verdict"] == SUSPECT]
    says = f"Without {found['hidden']} the AUROC drops by {drop.value:.3f}; "
    says += f"most of it rests on {', '.join(named)}." if named else "no signal alone costs as much."
    return {"verdict": SUSPECT, "says": says, "named": named, **found}


def _dropped(drop: Auroc, bench: Bench) -> bool:
    return drop.value > HIDDEN and drop.value - Z95 * drop.error(bench.person) > 0


def shuffled_check(bench: Bench, seed: int) -> Check:
    """Labels dealt out anew among the rows of an index day must rank nobody: 0.5 within three standard errors.

    Shuffled often enough (at most MOST_SHUFFLES times) for three standard errors to come within SHUFFLED, where cases
    allow. Before it fails, as many shuffles again are taken into account: three errors are passed by chance too, now
    and then.
    """
    label, weight = bench.learned
    cases = float((label * (weight > 0)).sum())
    once = np.sqrt((1.0 / cases + 1.0 / ((weight > 0).sum() - cases)) / 12.0)
    times = int(np.clip(np.ceil((3.0 * once / SHUFFLED) ** 2), 1, MOST_SHUFFLES))
    values: list[float] = []
    errors: list[float] = []
    for turn in range(2):
        trials = [_dealt_anew(bench, [seed, turn, number]) for number in range(times)]
        for one in bench.run(trials):
            values.append(one.auroc.value)
            errors.append(one.auroc.error(bench.person))
        mean = float(np.mean(values))
        error = float(np.sqrt(np.square(errors).sum()) / len(errors))
        within = abs(mean - 0.5) <= max(3.0 * error, SHUFFLED)
        if within:
            break
    found = {
        "thresholds": {"from 0.5 at most": SHUFFLED, "or standard errors": 3},
        "shuffles": len(values),
        "auroc": {"value": round(mean, 4), "standard error": round(error, 4)},
        "cases enough to show it": bool(3.0 * error <= SHUFFLED),
    }
    if within:
        return {"verdict": PASSED, "says": f"A shuffled label gives an AUROC of {mean:.3f}.", **found}
    return {
        "verdict": FAILED,
        "says": f"a shuffled label ranks people with an AUROC of {mean:.3f}, and 0.5 is all it can",
        "hint": "the same people may be among those learned from and those judged: report this",
        **found,
    }


def _dealt_anew(bench: Bench, seed: list[int]) -> Trial:
    """Label and weight together, shuffled among all rows that have weight: index days differ in how many are found."""
    label, weight = (values.copy() for values in bench.learned)
    rows = np.flatnonzero(weight > 0)
    dealt = np.random.default_rng(seed).permutation(rows)
    label[rows], weight[rows] = bench.learned[0][dealt], bench.learned[1][dealt]
    return Trial(label, weight, trees=SHUFFLED_TREES)
