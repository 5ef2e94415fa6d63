"""What a practice is told about its list as a whole: the same sentences on the workbook's cover and on the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from casefinding.explain.wording import date_words, number_words
from casefinding.recall.choice.floors import Floor
from casefinding.recall.lines import REACH_DIFFERENTLY, URGENT
from casefinding.recall.loop.changes import Change
from casefinding.report.shapes import DRAFT, LANE_WORDS, SHEET_WORDS, Edition, PracticeLists, RuleWords
from casefinding.report.words import NOTHING, first_upper, rules_in

Facts = list[tuple[str, str]]
Changed = tuple[str, str, str, str, str]

NO_LIST_BEFORE = "First list: nothing to compare with."
NEVER_CODED_ABOUT = (
    "People of whom a returned outcome says “diagnosed” and who are still not on the register. Without the code they "
    "are not called for their reviews. Look at the result and code the diagnosis if it stands; if not, correct the "
    "outcome."
)
AWAITED_ABOUT = (
    "People of whom a returned outcome says that a result is awaited, and of whom nothing was told since. Nobody is "
    "invited while a result is awaited. Find the result, and say in the outcome what came of it."
)
UNFINISHED = (
    ("never_coded", "Confirmed, never coded", NEVER_CODED_ABOUT),
    ("awaited", "Result awaited", AWAITED_ABOUT),
)
"""What was begun and not ended: the field of PracticeLists that holds it, its heading, what it is."""
NOT_LISTED = "Not on the list"
NOW_LESS_URGENT = "Was urgent last month, and is no longer"


def warning(edition: Edition) -> str:
    """What a list is not, in the box that nobody can overlook."""
    return (
        "This is not a real-time alert and not a diagnosis. It prioritises people for the offer of a test or a review "
        f"from records up to {date_words(edition.data_through)}; look at the record before you act. {DRAFT}"
    )


def on_the_list(lists: PracticeLists) -> Facts:
    """Every sheet of people: its heading with how many, and what it is."""
    return [
        (f"{heading}: {number_words(len(lists.sheet(name)))}", about) for name, (heading, about) in SHEET_WORDS.items()
    ]


def this_month(lists: PracticeLists) -> Facts:
    """What the practice can do this month, how much of it is taken, what one more would find, who is expected."""
    told = [(first_upper(kind), _taken(lists, kind)) for kind in lists.capacity]
    told = told or [("Places", "No places were stated, so nobody is invited.")]
    if lists.review_minutes_needed is not None:
        told.append(("Reviews of the record", review_time(lists)))
    for label, cases in lists.expected.items():
        many = f"About {number_words(cases)}" if cases >= 1 else "Fewer than 1"
        told.append((label, f"{many} of those invited would be found to have it, if all were tested."))
    told += [("Fair shares", lists.floors)] if lists.floors else []
    told += [("Held out", lists.holdout)] if lists.holdout else []
    return told


def _taken(lists: PracticeLists, kind: str) -> str:
    places, used = lists.capacity[kind], lists.used.get(kind, 0)
    return f"{number_words(round(used))} of {number_words(round(places))} taken. {_more(lists, kind)}".strip()


def _more(lists: PracticeLists, kind: str) -> str:
    """What one more of a kind of place would find, in whole cases."""
    if kind not in lists.marginal:
        return ""
    cases = lists.marginal[kind]
    if cases >= 0.75:
        return f"1 more would find about {number_words(round(cases))} more with a condition."
    if cases < 0.01:
        return "More would find nobody else this month."
    return f"About {number_words(round(1 / cases))} more would find 1 more person with a condition."


def review_time(lists: PracticeLists) -> str:
    """How long the reviews take against the time stated; nobody is left out for want of time."""
    needed = f"About {number_words(round(lists.review_minutes_needed or 0))} minutes of work"
    first = f", after {number_words(round(lists.urgent_minutes))} for the urgent lanes" if lists.urgent_minutes else ""
    stated = lists.review_minutes_stated
    if stated is None:
        return f"{needed}; the practice stated no time for it."
    fits = lists.reviews_in_time
    if fits is None:
        return f"{needed}{first}, within the {number_words(round(stated))} minutes stated."
    return (
        f"{needed}{first}; the {number_words(round(stated))} minutes stated are enough for "
        + (f"the first {number_words(fits)}" if fits else "none")
        + f" of {number_words(len(lists.sheet('review the record')))}. Nobody is left out: the rest follow in order."
    )


def floors_words(floors: Sequence[Floor], cost: Mapping[str, float], at_least: float) -> str:
    """The equity floors of a practice's network and what they cost, in a sentence or two; "" where there are none.

    `cost`: condition label -> expected cases (see Chosen.floors_cost); `at_least`: the configured share, such as 0.8.
    """
    if not floors:
        return ""
    named = {"core20": "Core20", "unknown": "those of no known ethnic group"}
    short = sorted({named.get(one.grouping, named.get(one.group, one.group)) for one in floors if not one.met})
    met = "This is met" if not short else f"For {', '.join(short)} it is as good as possible, for the rest it is met"
    costs = [f"about {number_words(round(cases))} of {label}" for label, cases in cost.items() if cases >= 0.5]
    price = f"It costs {', '.join(costs)} that would otherwise be found." if costs else "It costs less than 1 case."
    return (
        f"In the network, people in Core20 areas and of each ethnic group of size are to have at least {at_least:g} of "
        f"the share of expected cases that everybody has. {met}. {price}"
    )


def last_month(lists: PracticeLists) -> Facts:
    """What became of last month's list: already known first, then the funnel; empty if nothing is known of it."""
    told = []
    if lists.already_known is not None and lists.already_known[1]:
        known, outcomes = lists.already_known
        of = f"{number_words(known)} of {number_words(outcomes)}"
        told.append(("Already known", f"{of} people and conditions of which an outcome came back were known already."))
    stages = ", ".join(f"{number_words(people)} {stage}" for stage, people in lists.funnel)
    counts = "People and conditions, each as far as it came; invited: or acted on."
    return [*told, ("What became of it", f"{first_upper(stages)}. {counts}")] if stages else told


def sending_back() -> Facts:
    """How an outcome is told, and how the workbook comes back."""
    return [
        ("Outcome", "Choose one from the list in the column “Outcome” of each sheet, with its date."),
        ("Diagnosed with", "Only where a row is for several conditions: which were found, or were known already."),
        ("Send it back", "Save the workbook under any name and send it back, also if it is partly filled. Rows may be "
         "sorted or filtered; leave the names of the columns as they are."),
    ]  # fmt: skip


def changed(lists: PracticeLists) -> list[tuple[str, list[Changed]]]:
    """Since last month, in blocks: heading, then pseudonym, what for, where they stood, where they stand, why.

    People who were urgent and are no longer come first, with each condition of which that is so; whoever stays in the
    same lane is not told of. Empty blocks are left out.
    """
    everybody = lists.changes or ()
    calmer = lists.no_longer_urgent or [one for one in everybody if one.urgent_before and one.now_lane not in URGENT]
    said = {(one.pseudonym, one.now_lane) for one in calmer}
    blocks: dict[str, list[Changed]] = {
        NOW_LESS_URGENT: [_row(one, lists) for one in calmer], "New on the list": [], "Moved": [], "Left the list": [],
    }  # fmt: skip
    for one in everybody:
        if one.was_lane == one.now_lane or (one.pseudonym, one.now_lane) in said:
            continue
        block = "New on the list" if not one.was_lane else "Moved" if one.now_lane else "Left the list"
        blocks[block].append(_row(one, lists))
    return [(heading, rows) for heading, rows in blocks.items() if rows]


def stands(lists: PracticeLists, pseudonym: str, lane: str = "") -> str:
    """The heading of the sheet on which somebody stands on this list; `lane` where it is only one condition's."""
    sheet = next((line.sheet for line in lists.lines if line.pseudonym == pseudonym), "")
    if lane and sheet != REACH_DIFFERENTLY:
        sheet = lane
    return SHEET_WORDS[sheet][0] if sheet in SHEET_WORDS else sheet or NOT_LISTED


def _row(one: Change, lists: PracticeLists) -> Changed:
    """One change in words; the reason of each condition, with what was sent back, says more than the first alone."""
    why = [*([one.why] if one.why and not any(one.why in text for text in one.details) else []), *one.details]
    concerns = "; ".join(one.conditions) or NOTHING
    now = stands(lists, one.pseudonym, one.now_lane) if one.now_lane else NOT_LISTED
    return one.pseudonym, concerns, _lane(one.was_lane), now, _sentence("; ".join(why))


def _lane(name: str) -> str:
    return LANE_WORDS[name][0] if name in LANE_WORDS else name or NOT_LISTED


def _sentence(text: str) -> str:
    """Words as a sentence: a bare word of the drop-down would look as if somebody had filled it in."""
    return f"{first_upper(text).rstrip('.')}." if text else "Not known"


def rule_key(lists: PracticeLists) -> Sequence[RuleWords]:
    """The rules that this practice's list names, by id or inside what to do, in the order of the catalogue."""
    named = {rule for line in lists.lines for rule in line.rules}
    for line in lists.lines:
        named.update(*(rules_in(text) for text in line.do))
    return [rule for rule in lists.rules if rule.id in named]
