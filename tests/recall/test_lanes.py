"""Who stands on a list: safety first, capacity kept, nobody twice, nobody lost."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from casefinding.definitions.shapes import Expected
from casefinding.recall.lines import ORDER, who_and_why
from casefinding.recall.view import View
from tests.recall.conftest import invited

EVERY_STAGE = ("review the record", "invite", "chance", "never measured", "training")
A = np.array(["A"] * 10)


def lanes(view, practice=A, slots=None, share=0.0):
    places = invited(view, practice, slots or {"A": 3}, {"A": share, "B": share})
    return {person.row: person for person in who_and_why([view], {view.condition: places})}


def test_act_now_is_never_dropped_whatever_the_leave_outs_and_the_capacity(view):
    rules = {"X-U1": [0, 1, 2], "X-C1": [3]}
    seen = view([0.5] * 10, rules, {"everything": (range(10), EVERY_STAGE)})
    found = lanes(seen, slots={"A": 0})
    assert {row: person.lane for row, person in found.items()} == {
        0: "act now", 1: "act now", 2: "act now", 3: "check the reading"
    }  # fmt: skip


def test_review_needs_no_capacity_but_keeps_to_the_leave_outs(view):
    seen = view([np.nan] * 10, {"X-1": [4, 5]}, {"palliative": ([5], ("review the record",))})
    assert {row: person.lane for row, person in lanes(seen, slots={"A": 0}).items()} == {4: "review the record"}


def test_a_capacity_of_zero_invites_nobody(view):
    assert not invited(view([0.9] * 10), A, {"A": 0}, {"A": 0.2}).any()
    assert not invited(view([0.9] * 10), A, {}, {}).any()


def test_invitations_go_by_chance_within_each_practice(view):
    practice = np.array(["A"] * 5 + ["B"] * 5)
    place = invited(view([0.1, 0.5, 0.3, 0.2, 0.4] * 2), practice, {"A": 2, "B": 1}, {"A": 0, "B": 0})
    assert place.tolist() == [0, 1, 0, 0, 2, 0, 1, 0, 0, 0]


def test_urgent_rules_come_before_chance_and_rules_without_a_chance_after(view):
    chance = [0.9, 0.1, np.nan, 0.5] + [np.nan] * 6
    place = invited(view(chance, {"X-2": [1], "X-3": [2]}), A, {"A": 4}, {"A": 0})
    assert place.tolist()[:4] == [2, 1, 4, 3]


def test_some_places_are_kept_for_people_never_measured(view):
    chance = np.linspace(0.9, 0.1, 10)
    seen = view(chance, {"X-4": [8, 9]})
    place = invited(seen, A, {"A": 5}, {"A": 0.2})
    assert set(np.flatnonzero(place)) == {0, 1, 2, 3, 8}
    assert lanes(seen, slots={"A": 5}, share=0.2)[8].lane == "never measured"


def test_places_kept_but_not_needed_go_to_the_rest(view):
    assert np.count_nonzero(invited(view(np.linspace(0.9, 0.1, 10)), A, {"A": 5}, {"A": 0.4})) == 5


def test_a_person_left_out_of_chance_can_still_come_by_a_rule(view):
    seen = view([0.9] * 10, {"X-3": [0]}, {"new": ([0, 1], ("chance",))})
    place = invited(seen, A, {"A": 10}, {"A": 0})
    assert place[0] > 0
    assert place[1] == 0


def test_the_model_ranks_only_whom_it_may(view):
    seen = view([0.9] * 10, eligible=range(3))
    assert set(np.flatnonzero(invited(seen, A, {"A": 10}, {"A": 0}))) == {0, 1, 2}


def test_one_line_a_person_across_conditions_in_the_most_urgent_lane(view):
    first = view([0.9, 0.8] + [np.nan] * 8, {"X-1": [1]})
    second = view([0.7, 0.6] + [np.nan] * 8, {"X-U1": [1], "X-5": [0]}, condition="hunger", test="bread test")
    places = {one.condition: invited(one, A, {"A": 2}, {"A": 0}) for one in (first, second)}
    found = who_and_why([first, second], places)
    assert [person.row for person in found] == [0, 1]
    assert found[0].lane == "invite"
    assert {(entry[0].condition, entry[1]) for entry in found[0].by} == {
        ("thirst", "invite"), ("hunger", "invite"), ("hunger", "note")
    }  # fmt: skip
    assert found[1].lane == "act now"


@settings(max_examples=100, derandomize=True, deadline=None)
@given(data=st.data())
def test_safety_holds_for_any_records_at_all(data):
    from tests.recall.conftest import model as _model

    n = data.draw(st.integers(1, 12))
    rows = st.lists(st.booleans(), min_size=n, max_size=n).map(lambda flags: np.array(flags))
    made = _model()

    flags = {rule.id: data.draw(rows) for rule in made.rules}
    seen = View(
        made, np.array(["never"] * n, dtype=object), data.draw(rows), flags,
        {"a": data.draw(rows), "b": data.draw(rows)},
        {"a": tuple(data.draw(st.sets(st.sampled_from(EVERY_STAGE)))), "b": EVERY_STAGE},
        (), np.array(data.draw(st.lists(st.floats(0, 1), min_size=n, max_size=n))), np.zeros(n),
    )  # fmt: skip
    practice = np.array(data.draw(st.lists(st.sampled_from(["A", "B"]), min_size=n, max_size=n)))
    slots = {"A": data.draw(st.integers(0, 5)), "B": data.draw(st.integers(0, 5))}
    share = data.draw(st.sampled_from([0.0, 0.3, 1.0]))
    place = invited(seen, practice, slots, {"A": share, "B": share})
    for code, number in slots.items():
        assert np.count_nonzero(place[practice == code]) <= number
    assert not place[seen.left_out["b"]].any()
    found = who_and_why([seen], {seen.condition: place})
    assert len({person.row for person in found}) == len(found)
    assert {person.row for person in found if person.lane == "act now"} == set(np.flatnonzero(flags["X-U1"]))
    assert all(person.lane in ORDER for person in found)


def test_data_that_may_not_be_used_at_all_appear_in_no_lane(view):
    rules = {"X-U1": [0], "X-C1": [0], "X-1": [0], "X-2": [0], "X-4": [0]}
    seen = view([0.9] * 10, rules, {"opted out at the source": ([0], ("everything",))})
    assert 0 not in lanes(seen, slots={"A": 10})


def test_whoever_is_acted_on_or_reviewed_takes_no_place(view):
    seen = view(np.linspace(0.9, 0.1, 10), {"X-U1": [0, 1], "X-1": [2]})
    assert set(np.flatnonzero(invited(seen, A, {"A": 3}, {"A": 0}))) == {3, 4, 5}


def test_places_that_nobody_else_needs_go_to_people_never_measured(view):
    seen = view([np.nan] * 10, {"X-3": [0], "X-4": [1, 2, 3, 4, 5, 6]})
    assert np.count_nonzero(invited(seen, A, {"A": 8}, {"A": 0.2})) == 7


def test_a_note_reaches_whoever_is_listed_whatever_the_order_of_conditions(view):
    noting = view([np.nan] * 10, {"X-5": [1]})
    listing = view([np.nan] * 10, {"X-U1": [1]}, condition="hunger", test="bread test")
    for views in ([noting, listing], [listing, noting]):
        places = {one.condition: invited(one, A, {}, {}) for one in views}
        (found,) = who_and_why(views, places)
        assert ("thirst", "note") in {(entry[0].condition, entry[1]) for entry in found.by}


def never(view, chance, expected, n=10, **published):
    """People whom X-4 calls never measured, with a published chance each."""
    seen = view(chance, {"X-4": range(n)})
    shape = Expected.model_validate({"bands": [{"ages": [16, 120], "women": 1, "men": 1}], "source": "s", **published})
    return replace(seen, model=seen.model.model_copy(update={"expected": shape}), expected=np.asarray(expected, float))


def test_people_never_measured_come_by_what_is_published_and_not_by_the_chance(view):
    seen = never(view, np.linspace(0.9, 0.1, 10), np.linspace(0.1, 0.9, 10))
    place = invited(seen, A, {"A": 3}, {"A": 1.0})
    assert np.flatnonzero(place).tolist() == [7, 8, 9]
    assert place[9] == 1


def test_among_people_of_equal_expectation_the_chance_decides_and_then_the_row(view):
    seen = never(view, [0.1, 0.3, 0.2, np.nan] + [np.nan] * 6, [0.5] * 4 + [0.4] * 6)
    assert np.argsort(invited(seen, A, {"A": 6}, {"A": 1.0})[:6]).tolist() == [1, 2, 0, 3, 4, 5]


def test_what_is_expected_comes_before_the_priority_of_a_rule(view):
    """Else one rule would fill every place with people of one kind."""
    seen = never(view, [np.nan] * 10, np.linspace(0.1, 0.9, 10))
    first = seen.model.rules[-2].model_copy(update={"id": "X-6", "priority": 1})
    rules = (*seen.model.rules, first)
    soon = np.arange(10) == 0
    seen = replace(seen, model=seen.model.model_copy(update={"rules": rules}), flags={**seen.flags, "X-6": soon})
    assert invited(seen, A, {"A": 2}, {"A": 1.0})[[9, 8, 0]].tolist() == [1, 2, 0]


def test_expected_cases_shared_by_chance_stay_within_their_group(view):
    """Two groups of equal expectation: the chance says who in a group, what is published says which group."""
    chance = np.array([0.02, 0.01, 0.01, 0.01, 0.01, 0.5, 0.4, 0.4, 0.4, 0.4])
    seen = never(view, chance, [0.5] * 5 + [0.05] * 5, never_measured="by expected shared by chance")
    place = invited(seen, A, {"A": 6}, {"A": 1.0})
    assert place[0] == 1
    assert set(np.flatnonzero(place)) == {0, 1, 2, 3, 4, 5}


@settings(max_examples=100, derandomize=True, deadline=None)
@given(data=st.data())
def test_no_shift_of_all_chances_changes_who_has_a_kept_place_or_the_order_of_the_others(data):
    """Where all places are kept. Where some are, a shift may move somebody never measured from a kept place to one by
    chance, if more cases are expected thus."""
    from tests.recall.conftest import model as _model

    n, slots = data.draw(st.integers(1, 12)), data.draw(st.integers(0, 8))
    log_odds = np.array(data.draw(st.lists(st.integers(-4, 4), min_size=n, max_size=n)), float)
    published = np.array(data.draw(st.lists(st.sampled_from([0.1, 0.2, 0.4]), min_size=n, max_size=n)))
    unmeasured = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    made = _model()
    flags = {rule.id: unmeasured & (rule.id == "X-4") for rule in made.rules}
    who, everyone = np.array(["never"] * n, dtype=object), np.ones(n, dtype=bool)

    bands = [{"ages": [16, 120], "women": 1, "men": 1}]
    way = data.draw(st.sampled_from(["by expected", "by expected shared by chance"]))
    shape = Expected.model_validate({"bands": bands, "source": "s", "never_measured": way})
    made = made.model_copy(update={"expected": shape})

    def places(odds):
        chance = odds / (1 + odds)
        seen = View(made, who, everyone, flags, {}, {}, (), chance, chance, {}, published)
        return invited(seen, np.array(["A"] * n), {"A": slots}, {"A": 1.0}).tolist()

    # odds and factors that are powers of 2, so that people of equal need stay equal to the last bit
    assert places(2.0**log_odds) == places(2.0 ** (log_odds + 1)) == places(2.0 ** (log_odds - 1))
