"""From month to month: everybody is accounted for once, and nothing urgent is lost without a word."""

import datetime as dt
from collections import Counter
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casefinding.definitions.recall import Invitations
from casefinding.recall.leave_out import BY_CAPACITY, DECLINED
from casefinding.recall.lines import BY_CHANCE, ORDER, URGENT, WITHOUT_A_PLACE
from casefinding.recall.loop import why_changed as why
from casefinding.recall.loop.changes import KINDS, Changes, changes
from casefinding.recall.loop.holdout import HELD_OUT, without_held_out
from casefinding.recall.loop.ledger import LISTED, OUTCOME
from casefinding.recall.loop.waves import invited_enough, invited_lately
from casefinding.records.tables import CONTACT

LAST, TODAY = dt.date(2026, 9, 1), dt.date(2026, 10, 1)
USUAL = Invitations()
RULE = {
    "act now": "X-U1",
    "check the reading": "X-C1",
    "review the record": "X-1",
    "chase the result": "X-P1",
    "invite": "X-2",
    "never measured": "X-4",
}


class Records:
    """The two tables of a store that are asked, for people 0 to n - 1."""

    def __init__(self, homes, died=(), joined=()):
        self.homes, self.died, self.joined = homes, dict(died), dict(joined)

    def people_table(self) -> pa.Table:
        n = len(self.homes)
        return pa.table({
            "person": pa.array(range(n), pa.int64()),
            "pseudonym": [f"p{row}" for row in range(n)],
            "died_on": pa.array([self.died.get(row) for row in range(n)], pa.date32()),
        })  # fmt: skip

    def registrations(self) -> pa.Table:
        at = [(row, home) for row, home in enumerate(self.homes) if home]
        return pa.table({
            "person": pa.array([row for row, _ in at], pa.int64()),
            "practice": pa.array([home for _, home in at], pa.string()),
            "started_on": pa.array([self.joined.get(row, dt.date(2010, 1, 1)) for row, _ in at], pa.date32()),
            "ended_on": pa.nulls(len(at), pa.date32()),
        })  # fmt: skip


def rows(*found, day=LAST) -> pa.Table:
    """LISTED from (person, {condition: lane}, more); the line stands in its most urgent lane; practice A."""
    made = []
    for person, lanes, *more in found:
        about = more[0] if more else {}
        line = min(lanes.values(), key=ORDER.index)
        for condition, lane in lanes.items():
            made.append({
                "list_id": f"list {day}", "index_day": day, "practice": "A", "pseudonym": f"p{person}",
                "condition": condition, "label": condition.capitalize(), "line_lane": line, "lane": lane,
                "rules": RULE[lane], "test": "", "visit": "", "wave": int(lane in BY_CHANCE), "place": 0,
                "chance": None, "sex": "female", "age_band": "", "ethnicity": "", "deprivation": "", **about,
            })  # fmt: skip
    return pa.Table.from_pylist(made, schema=LISTED)


def said(*found) -> pa.Table:
    """OUTCOME from (person, condition, outcome, day) of practice A and the last list."""
    return pa.Table.from_pylist(
        [
            {"list_id": f"list {LAST}", "practice": "A", "pseudonym": f"p{person}", "condition": condition,
             "outcome": outcome, "on": on, "file": "", "file_sha256": "", "row": 1}
            for person, condition, outcome, on in found
        ],
        schema=OUTCOME,
    )  # fmt: skip


def compared(before, after, views, records, contacts=(), outcomes=None) -> Changes:
    alive = [
        row
        for row, home in enumerate(records.homes)
        if home and not (row in records.died and records.died[row] < TODAY)
    ]
    base = pa.table({
        "pseudonym": [f"p{row}" for row in alive],
        "practice": [records.homes[row] for row in alive],
        "birth_month": pa.array([dt.date(1960, 1, 1)] * len(alive), pa.date32()),
        "registered_on": pa.array([dt.date(2010, 1, 1)] * len(alive), pa.date32()),
    })  # fmt: skip
    columns = [list(column) for column in zip(*contacts, strict=True)] or [[]] * 4
    return changes(
        before, after, records, base, [_of(view, alive) for view in views], pa.table(columns, schema=CONTACT),
        said() if outcomes is None else outcomes, USUAL, TODAY,
    )  # fmt: skip


def _of(view, kept):
    """A view of fewer people, row by row with the base."""
    at = np.array(kept, dtype=np.int64)
    return replace(
        view, status=view.status[at], eligible=view.eligible[at], chance=view.chance[at], raw=view.raw[at],
        flags={name: mask[at] for name, mask in view.flags.items()},
        left_out={name: mask[at] for name, mask in view.left_out.items()},
    )  # fmt: skip


def only(found: Changes):
    (one,) = found.everybody
    return one


def test_the_first_list_of_a_practice_is_new_to_everybody(view):
    found = compared(None, rows((0, {"thirst": "act now"}), day=TODAY), [view([0.5])], Records(["A"]))
    assert only(found).kind == "new"
    assert only(found).why == why.FIRST_LIST
    assert not found.last


# -------------------- who left, and why

LEFT = rows((0, {"thirst": "invite"}))


def left(seen, records=None, before=LEFT, **more) -> str:
    one = only(compared(before, LISTED.empty_table(), [seen], records or Records(["A"]), **more))
    assert one.kind == "left"
    return one.why


def test_the_dead_and_those_who_moved_are_told_before_anything_else(view):
    coded = replace(view([0.5]), status=np.array(["on register"], dtype=object))
    assert left(coded, Records(["A"], died={0: dt.date(2026, 9, 9)})) == why.DIED
    assert left(coded, Records(["A"], died={0: TODAY})) == why.CODED  # as the cohort has it: alive on the day
    assert left(coded, Records([None])) == why.GONE
    assert left(coded) == why.CODED


def test_a_move_inside_the_network_is_told_without_saying_where(view):
    after = rows((0, {"thirst": "act now"}, {"practice": "B"}), day=TODAY)
    joined = Records(["B"], joined={0: dt.date(2026, 9, 20)})
    found = compared(rows((0, {"thirst": "act now"})), after, [view([0.5])], joined)
    here, there = found.of("A"), found.of("B")
    assert (only(here).kind, only(here).why, only(here).urgent_before) == ("left", why.MOVED, True)
    assert "B" not in str(only(here).details)
    assert only(there).why == why.FIRST_LIST  # nothing is known of an earlier list of that practice


def test_somebody_who_is_in_no_record_any_more(view):
    before = rows((7, {"thirst": "invite"}))
    assert left(view([0.5]), before=before) == why.UNKNOWN


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        ("Seen – diagnosed", why.FOUND_ILL),
        ("Seen – not diagnosed", why.NORMAL),
        ("Seen – result awaited", why.WAITING_RESULT),
    ],
)
def test_what_the_practice_sent_back_is_the_reason(view, outcome, reason):
    told = said((0, "thirst", outcome, dt.date(2026, 9, 12)))
    found = compared(LEFT, LISTED.empty_table(), [view([0.5])], Records(["A"]), outcomes=told)
    assert only(found).why == reason
    assert only(found).details == (f"Thirst: {reason} (sent back: {outcome}, 12 September 2026)",)


def test_an_outcome_from_before_the_last_list_or_from_the_index_day_is_no_reason(view):
    old = said((0, "thirst", "Seen – diagnosed", dt.date(2026, 8, 1))).to_pylist()
    earlier = pa.Table.from_pylist([{**old[0], "list_id": "an earlier one"}], schema=OUTCOME)
    assert left(view([0.5]), outcomes=earlier) == why.NO_PLACE
    assert left(view([0.5]), outcomes=said((0, "thirst", "Seen – diagnosed", TODAY))) == why.NO_PLACE


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("declined", "declined"), ("opted out", "asked not to be invited"), ("not appropriate", "not appropriate")],
)
def test_a_refusal_is_told_as_what_it_was(view, kind, reason):
    seen = view([0.5], left_out={DECLINED: ([0], BY_CAPACITY)})
    assert left(seen, contacts=[(0, "thirst", kind, dt.date(2026, 9, 9))]) == reason


def test_waiting_asked_often_enough_held_out_and_other_states(view):
    for name, reason in (
        (invited_lately(USUAL), why.WAITING),
        (invited_enough(USUAL), invited_enough(USUAL)),
        (HELD_OUT, HELD_OUT),
        ("recently_normal", why.NORMAL),
        ("pregnant", "pregnant"),
    ):
        assert left(view([0.5], left_out={name: ([0], BY_CAPACITY)})) == reason
    both = {HELD_OUT: ([0], BY_CAPACITY), invited_lately(USUAL): ([0], BY_CAPACITY)}
    assert left(view([0.5], left_out=both)) == why.WAITING
    assert left(view([0.5], {"X-U1": [0]}, {"opt_out": ([0], ("everything",))})) == why.BARRED


def test_below_the_line_is_told_only_of_whoever_could_still_be_invited(view):
    assert left(view([0.5])) == why.NO_PLACE
    assert left(view([np.nan], {"X-3": [0]})) == why.NO_PLACE
    assert left(view([np.nan])) == why.SILENT
    by_chance = rows((0, {"thirst": "invite"}, {"rules": ""}))
    assert left(view([0.5], eligible=[]), before=by_chance) == why.NOT_ELIGIBLE


def test_a_rule_that_is_in_use_no_more_and_a_condition_that_is_looked_for_no_more(view):
    assert left(view([0.5]), before=rows((0, {"thirst": "act now"}, {"rules": "X-99"}))) == why.RULE_GONE
    assert left(view([0.5]), before=rows((0, {"hunger": "act now"}))) == why.NOT_LOOKED_FOR


# -------------------- what was urgent


def test_nothing_that_concerns_invitations_explains_why_something_urgent_is_gone(view):
    states = {name: ([0], BY_CAPACITY) for name in (invited_lately(USUAL), DECLINED, HELD_OUT)}
    before = rows((0, {"thirst": "act now"}))
    told = said((0, "thirst", "Declined", dt.date(2026, 9, 3)))
    found = compared(before, LISTED.empty_table(), [view([0.5], left_out=states)], Records(["A"]), outcomes=told)
    (one,) = found.no_longer_urgent
    assert one.why == why.SILENT
    assert one.details == (f"Thirst: {why.SILENT} (sent back: Declined, 3 September 2026)",)
    assert only(found).urgent_before


def test_an_outcome_silences_nothing_urgent_and_stands_beside_what_the_rule_concerns(view):
    seen = view([0.5])
    rules = tuple(rule.model_copy(update={"concerns": "Parched"}) for rule in seen.model.rules)
    seen = replace(seen, model=seen.model.model_copy(update={"rules": rules}))
    told = said((0, "thirst", "Seen – not diagnosed", dt.date(2026, 9, 3)))
    one = only(compared(rows((0, {"thirst": "act now"})), LISTED.empty_table(), [seen], Records(["A"]), outcomes=told))
    assert (one.why, one.conditions) == (why.SILENT, ("Parched",))
    assert one.details == (f"Parched: {why.SILENT} (sent back: Seen – not diagnosed, 3 September 2026)",)


def test_what_was_last_sent_back_goes_with_whoever_is_still_listed(view):
    seen, both = view([0.5], {"X-1": [0]}), {"thirst": "review the record"}
    answers = said(
        (0, "thirst", "Invited", dt.date(2026, 9, 3)), (0, "thirst", "Seen – not diagnosed", dt.date(2026, 9, 12))
    )

    def stays(outcomes):
        return only(compared(rows((0, both)), rows((0, both), day=TODAY), [seen], Records(["A"]), outcomes=outcomes))

    assert (stays(None).said, stays(None).answered_on) == ((), None)
    assert stays(answers).said == ("Seen – not diagnosed, 12 September 2026",)
    assert stays(answers).answered_on == dt.date(2026, 9, 12)
    assert stays(said((0, "thirst", "Seen – diagnosed", dt.date(2026, 9, 12)))).answered_on is None  # to be coded


def test_whoever_did_not_attend_is_not_said_to_be_free_to_answer(view):
    lately = view([0.5], left_out={invited_lately(USUAL): ([0], BY_CAPACITY)})
    told = said((0, "thirst", "Did not attend", dt.date(2026, 9, 3)))
    assert left(lately, outcomes=told) == why.MISSED


def test_being_coded_does_not_explain_a_rule_that_speaks_of_people_on_the_register_too(view):
    seen = view([0.5])
    rules = tuple(rule.model_copy(update={"applies_to": "anyone"}) for rule in seen.model.rules)
    coded = replace(
        seen, model=seen.model.model_copy(update={"rules": rules}), status=np.array(["on register"], dtype=object)
    )
    assert left(coded, before=rows((0, {"thirst": "act now"}))) == why.SILENT


def test_an_urgent_condition_is_told_though_the_person_is_urgent_for_another(view):
    before = rows((0, {"thirst": "act now", "hunger": "act now"}))
    after = rows((0, {"hunger": "act now", "thirst": "invite"}), day=TODAY)
    both = [view([0.5]), view([0.5], condition="hunger")]
    found = compared(before, after, both, Records(["A"]))
    assert only(found).kind == "stays"
    (one,) = found.no_longer_urgent
    assert (one.conditions, one.was_lane, one.now_lane, one.why) == (("Thirst",), "act now", "invite", why.SILENT)


# -------------------- who is new, who moved


def new(lanes, more=None, seen=None, joined=(), before=None) -> str:
    after = rows((0, lanes, more or {}), (1, {"thirst": "invite"}), day=TODAY)
    found = compared(before or rows((1, {"thirst": "invite"})), after, [seen], Records(["A", "A"], joined=joined))
    return next(one.why for one in found.everybody if one.pseudonym == "p0")


def test_who_is_new_is_told_by_what_is_certain(view):
    seen = view([0.5, 0.5])
    assert new({"thirst": "act now"}, seen=seen) == why.FINDING
    assert new({"thirst": "act now"}, seen=seen, joined={0: LAST}) == why.JOINED
    assert new({"thirst": "invite"}, seen=seen, joined={0: LAST - dt.timedelta(days=1)}) == why.PLACE
    assert new({"thirst": "invite"}, {"wave": 2}, seen) == "the second invitation is due"


def test_whoever_came_of_age_since_the_last_list_is_newly_eligible(view):
    seen = view([0.5, 0.5])
    model = seen.model.model_copy(
        update={"eligible": seen.model.eligible.model_copy(update={"age_at_least": 67})}  # born in January 1960
    )
    old_enough = replace(seen, model=model)
    assert new({"thirst": "invite"}, seen=old_enough) == why.NEWLY_ELIGIBLE
    assert new({"thirst": "act now"}, seen=old_enough) == why.FINDING


def test_from_one_lane_to_another(view):
    def moved(was, now, seen):
        return only(compared(rows((0, {"thirst": was})), rows((0, {"thirst": now}), day=TODAY), [seen], Records(["A"])))

    up = moved("invite", "act now", view([0.5], {"X-U1": [0]}))
    assert (up.kind, up.why, up.details, up.urgent_before) == ("moved lane", why.FINDING, (), False)
    down = moved("check the reading", "invite", view([0.5], {"X-2": [0]}))
    assert (down.why, down.details, down.urgent_before) == (why.SILENT, (f"Thirst: {why.SILENT} ({why.UNTOLD})",), True)
    assert moved("invite", "never measured", view([0.5], {"X-4": [0]})).why == why.OTHERWISE
    other = compared(
        rows((0, {"thirst": "never measured"})), rows((0, {"hunger": "invite"}), day=TODAY),
        [view([0.5]), view([0.5], condition="hunger")], Records(["A"]),
        outcomes=said((0, "thirst", "Seen – not diagnosed", dt.date(2026, 9, 3))),
    )  # fmt: skip
    assert only(other).details == (
        f"Thirst: {why.NORMAL} (sent back: Seen – not diagnosed, 3 September 2026)", f"Hunger: {why.PLACE}",
    )  # fmt: skip
    assert moved("never measured", "invite", view([0.5], {"X-2": [0]})).why == why.OTHERWISE
    stays = moved("invite", "invite", view([0.5], {"X-2": [0]}))
    assert (stays.kind, stays.why, stays.details) == ("stays", "", ())


# -------------------- whatever happens

N = 5
LANES = st.dictionaries(st.sampled_from(["thirst", "hunger"]), st.sampled_from(ORDER), min_size=1)
LISTS = st.dictionaries(st.integers(0, N - 1), LANES)
MASKS = st.sets(st.integers(0, N - 1))
DAYS = st.dates(dt.date(2026, 8, 1), dt.date(2026, 10, 20))
NAMES = ["pregnant", "a_normal", DECLINED, invited_lately(USUAL), invited_enough(USUAL), HELD_OUT]
OUTCOMES = st.lists(
    st.tuples(
        st.integers(0, N - 1), st.sampled_from(["thirst", "hunger", "all"]),
        st.sampled_from(["Invited", "Declined", "Seen – diagnosed", "Seen – not diagnosed", "Already known"]), DAYS,
    ), max_size=5,
)  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=LISTS, after=LISTS, homes=st.lists(st.sampled_from(["A", "A", "A", "B", None]), min_size=N, max_size=N),
    died=st.dictionaries(st.integers(0, N - 1), DAYS), coded=MASKS, unable=MASKS, barred=MASKS,
    states=st.dictionaries(st.sampled_from(NAMES), MASKS),
    fired=st.dictionaries(st.sampled_from(list(RULE.values())), MASKS),
    outcomes=OUTCOMES, unknown=st.booleans(), held=MASKS,
)  # fmt: skip
def test_everybody_is_accounted_for_once_and_nothing_urgent_is_lost_silently(
    view, before, after, homes, died, coded, unable, barred, states, fired, outcomes, unknown, held
):
    chance = [np.nan if row in unable else 0.5 for row in range(N)]
    left_out = {name: (kept, BY_CAPACITY) for name, kept in states.items()} | {"opt_out": (barred, ("everything",))}
    views = []
    for condition in ("thirst", "hunger"):
        seen = view(chance, fired, left_out, condition=condition)
        out = np.isin(np.arange(N), list(held))
        status = np.array(["on register" if row in coded else "never" for row in range(N)], dtype=object)
        views.append(replace(without_held_out(seen, out), status=status))
    records = Records(homes, died)
    there = {row for row, home in enumerate(homes) if home == "A" and not (row in died and died[row] < TODAY)}
    listed_before = [(row + N * unknown, lanes) for row, lanes in before.items()]
    listed_after = [(row, lanes) for row, lanes in after.items() if row in there]
    found = compared(
        rows(*listed_before) if before else None, rows(*listed_after, day=TODAY), views, records, (), said(*outcomes)
    )

    was = {f"p{row}": lanes for row, lanes in listed_before}
    now = {f"p{row}": lanes for row, lanes in listed_after}
    assert sorted(one.pseudonym for one in found.everybody) == sorted(was.keys() | now.keys())
    for one in found.everybody:
        first, second = was.get(one.pseudonym), now.get(one.pseudonym)
        assert one.was_lane == (min(first.values(), key=ORDER.index) if first else "")
        assert one.now_lane == (min(second.values(), key=ORDER.index) if second else "")
        assert one.kind in KINDS
        assert bool(one.why) == (one.kind != "stays")
        assert one.urgent_before == (one.was_lane in URGENT)
        row = int(one.pseudonym[1:])
        if one.kind == "left" and row < N and row in died and died[row] < TODAY:
            assert one.why == why.DIED
        if one.kind == "left" and one.was_lane in WITHOUT_A_PLACE:
            assert one.why not in {why.NO_PLACE, why.NOT_ELIGIBLE, why.WAITING, HELD_OUT, invited_enough(USUAL)}
            assert one.why not in why.NOT_INVITABLE.values()
    silent = {
        (name, condition.capitalize())
        for name, lanes in was.items()
        for condition, lane in lanes.items()
        if lane in URGENT and now.get(name, {}).get(condition) not in URGENT
    }
    assert Counter((one.pseudonym, one.conditions[0]) for one in found.no_longer_urgent) == Counter(silent)
    assert all(one.why and one.details for one in found.no_longer_urgent)
    assert sum(one.people for one in found.counted()) == len(found.everybody)
