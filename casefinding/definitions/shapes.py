"""The frozen shapes that definitions are read into; nothing in them runs."""

from __future__ import annotations

import re
from typing import Literal, Self

from pydantic import Field, model_validator

from casefinding.definitions.basics import Length, Name, Shape
from casefinding.definitions.clauses import (
    AllOf,
    AnyOf,
    AtLeastOf,
    Clause,
    NoneOf,
    Operand,
    OtherFeature,
    Test,
    features_in,
)
from casefinding.definitions.evidence import Expected, Handling, KnownBy, Leak, Learning, Question, Score, Verification
from casefinding.definitions.quality import Fitness
from casefinding.definitions.segments import Segments
from casefinding.definitions.signals import Code, CodeList, Conversion, Guess, Signal
from casefinding.definitions.treatment_gaps import Gap
from casefinding.definitions.visits import Visit
from casefinding.definitions.words import (
    EVENT_WORDS,
    PERSON_WORDS,
    VALUE_WORDS,
    Direction,
    EventWord,
    Lane,
    PersonWord,
    SameDay,
    Span,
)
from casefinding.definitions.worked import Entry, Example, Person, RuleExample

__all__ = [
    "AllOf",
    "AnyOf",
    "AtLeastOf",
    "Clause",
    "Code",
    "CodeList",
    "Conversion",
    "Definitions",
    "Eligible",
    "Entry",
    "Example",
    "Expected",
    "Feature",
    "Fitness",
    "Gap",
    "Guess",
    "KnownBy",
    "Leak",
    "Learner",
    "LeaveOut",
    "Length",
    "Model",
    "Name",
    "NoneOf",
    "Operand",
    "OtherFeature",
    "Outcome",
    "Person",
    "Question",
    "Register",
    "Rule",
    "RuleExample",
    "Score",
    "Segments",
    "Shape",
    "Signal",
    "Test",
    "Verification",
    "Visit",
    "features_in",
]

# --------------------------------------------------------------------------- features


class Feature(Shape):
    """One number about a person on an index day.

    The window is [index day - within, index day - leaving_out_the_last): its first day counts, the index day never.
    An event is seen only if it happened and was recorded before the index day.
    `same_day` first reduces a day's values to one; with `at_least` only days with so high a value count.
    `gap` (word "courses"): a new course starts more than `gap` days after the day before it.
    `answered_by`/`answered_in` (word "days since unanswered"): days since the latest event with no event of those
    signals on its day or in the `answered_in` after it (None: at any time after).
    """

    name: Name
    label: str
    ask: EventWord | PersonWord
    of: Name | None = None
    within: Length | Literal["ever"] = "ever"
    leaving_out_the_last: Length | None = None
    same_day: SameDay | None = None
    at_least: float | None = None  # words "days with" and "days since latest", after `same_day`
    gap: Length | None = None
    answered_by: tuple[Name, ...] = ()
    answered_in: Length | None = None
    higher_means: Direction | None = None
    decimals: int | None = None
    group: str = ""  # features of one group speak once in the reasons; default: the signal's name
    say: str = ""  # "Last weight {value} kg ({when})"
    say_at_least: float | None = None  # the sentence is only for values from here on ...
    say_below: float | None = None  # ... and only for values below this
    if_missing: str = ""  # "No weight in the last 5 years"
    examples: tuple[Example, ...] = ()

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.ask in PERSON_WORDS:
            if self.of is not None:
                raise ValueError(f"'{self.ask}' asks about the person and takes no 'of'")
            return self
        if self.of is None:
            raise ValueError(f"'{self.ask}' needs 'of': the name of a signal")
        if (self.ask == "courses") != (self.gap is not None):
            raise ValueError("'gap' belongs to the word 'courses', which needs it")
        if (self.ask == "days since unanswered") != bool(self.answered_by):
            raise ValueError("'answered by' belongs to the word 'days since unanswered', which needs it")
        if self.answered_in is not None and self.ask != "days since unanswered":
            raise ValueError("'answered in' belongs to the word 'days since unanswered'")
        if self.at_least is not None and (self.same_day is None or self.ask not in ("days with", "days since latest")):
            raise ValueError("'at least' needs 'same day', and the word 'days with' or 'days since latest'")
        if self.same_day is not None and not self.reads_values:
            raise ValueError("'same day' belongs to words that read values, or to 'at least'")
        return self

    @property
    def about_person(self) -> bool:
        return self.ask in PERSON_WORDS

    @property
    def reads_values(self) -> bool:
        return self.ask in VALUE_WORDS or self.at_least is not None

    @property
    def signals(self) -> tuple[str, ...]:
        return () if self.of is None else (self.of, *self.answered_by)


# --------------------------------------------------------------------------- rules


class Rule(Shape):
    """A deterministic statement about a record on the index day, and what a practice should do.

    `applies_to`: "not on register" (default), "resolved" (only those whose diagnosis was resolved), or "anyone".
    `say` is the reason shown; `{feature_name}` stands for its value and `{feature_name.when}` for its date. A part in
    [square brackets] is left out where anything it names is missing, or is a count of none; see explain.wording.fill.
    `priority` orders rules inside a lane (1 first). `concerns` is the heading a person is listed under where it is not
    the condition's label (a cancer flag among the rules of a lung condition); `severe` marks who comes first of all.
    """

    id: str = Field(pattern=r"^[A-Z0-9]+-[A-Z]?\d+[a-z]?$")
    lane: Lane
    priority: int = 2
    label: str
    concerns: str = ""
    applies_to: Literal["not on register", "resolved", "anyone"] = "not on register"
    when: Clause
    severe: Clause | None = None
    say: str
    do: str
    source: str
    status: str = "draft: needs sign-off by the clinical safety officer"
    unverified: str = ""  # what of this was taken from memory and must be checked
    examples: tuple[RuleExample, ...] = ()

    @property
    def features(self) -> tuple[str, ...]:
        placeholders = re.findall(r"\{([a-z0-9_]+)(?:\.when)?\}", self.say)
        return tuple(dict.fromkeys((*features_in(self.when), *features_in(self.severe), *placeholders)))


# --------------------------------------------------------------------------- models (what we look for)


class Register(Shape):
    """Signals of the register: on it if `diagnosis` was ever coded and not `resolved` on or after its latest day."""

    diagnosis: Name
    resolved: Name | None = None


class Outcome(Shape):
    """The label: first `diagnosis` recorded in (index + gap, index + gap + horizon]."""

    diagnosis: Name
    gap: Length
    horizon: Length
    ignore_after_registration: Length = Span(days=90)
    """Diagnoses recorded this soon after registration are summaries of the past, not incident."""


class Eligible(Shape):
    """Who the model may be asked about; everyone else still meets the rules."""

    age_at_least: int = 18
    age_at_most: int | None = None
    registered: Length = Span(days=365)


class LeaveOut(Shape):
    """A state of the record that removes a person from some lanes (specification 1.2), with the words to show.

    `drop_from`: lanes and stages: "review the record", "invite" (rules), "chance" (the model), "never measured",
    "training"; "act now" and "check the reading" can be dropped from only by "everything", which is for people whose
    data may not be used at all (a type 1 opt-out that should have been blocked at the source).
    `note` is shown wherever the person still appears; `urgent note` instead of it where something is urgent.
    """

    name: Name
    label: str
    when: Clause
    drop_from: tuple[
        Literal["review the record", "invite", "chance", "never measured", "training", "everything"], ...
    ] = ()
    note: str = ""
    urgent_note: str = ""
    reach: Literal["", "differently"] = ""  # such people are not asked by letter or text: they get a sheet of their own
    only_for: tuple[Name, ...] = ()  # conditions; empty = all
    source: str = ""
    unverified: str = ""


class Learner(Shape):
    """How the trees are grown; defaults suit 10,000 to 1,000,000 rows."""

    trees: int = Field(default=200, ge=1, le=2000)
    learning_rate: float = Field(default=0.05, gt=0, le=1)
    leaves: int = Field(default=15, ge=2, le=63)
    depth: int = Field(default=4, ge=1, le=6)
    smallest_leaf: int = Field(default=40, ge=10)
    l2: float = Field(default=10.0, ge=0)
    feature_share: float = Field(default=0.8, gt=0, le=1)
    fewest_cases: int = Field(default=100, ge=20)  # fewer positives than this: refuse to train


class Model(Shape):
    """What we look for: one YAML a condition."""

    condition: Name
    label: str  # as a person would call it
    about: str
    test: str  # what an invitation uses, by the name that capacities are stated in
    invite: str  # what to do where no rule says more
    chance_of: str  # "of it being diagnosed within 12 months"
    register_: Register = Field(alias="register")
    outcome: Outcome
    eligible: Eligible = Eligible()
    features: tuple[Name, ...]
    leakage: tuple[Leak, ...] = ()  # the leakage register: definitions/leakage.py holds the model to it
    attendance: tuple[Name, ...] = ()  # features that tell how often somebody comes, not how they are
    verification: Verification | None = None
    learn_from: Learning = "coded"
    expected: Expected | None = None
    known_by: KnownBy | None = None
    treated: Clause | None = None  # what counts as treated once the condition is known: the last stage of the funnel
    refit: dict[str, tuple[Name, ...]] = Field(default_factory=dict)  # label -> a published model's variables, refitted
    scores: tuple[Score, ...] = ()
    missing_notes: tuple[Name, ...] = ()  # features whose absence is worth saying ("what is missing")
    silent: tuple[Name, ...] = ()  # features that may weigh but are never given as a reason for this condition
    learner: Learner = Learner()
    leave_out: tuple[LeaveOut, ...] = ()
    rules: tuple[Rule, ...] = ()

    @property
    def banned(self) -> tuple[str, ...]:
        """The signals that no feature of the model may read."""
        return self.leaking("banned")

    def leaking(self, handling: Handling) -> tuple[str, ...]:
        """The signals of the leakage register that are handled in this way, each once."""
        return tuple(dict.fromkeys(name for leak in self.leakage if handling in leak.handling for name in leak.signals))


class Definitions(Shape):
    """Everything people decided: signals, code lists, features, models, leave-outs common to all models."""

    codelists: dict[str, CodeList] = Field(default_factory=dict)
    signals: dict[str, Signal] = Field(default_factory=dict)
    features: dict[str, Feature] = Field(default_factory=dict)
    models: dict[str, Model] = Field(default_factory=dict)
    leave_outs: tuple[LeaveOut, ...] = ()
    questions: tuple[Question, ...] = ()  # models/open_questions.yaml: for the page of what awaits sign-off
    visits: tuple[Visit, ...] = ()  # models/visits.yaml: what a person can be offered, and what it uses
    treatment_gaps: tuple[Gap, ...] = ()  # models/treatment_gaps.yaml: what people already diagnosed lack
    segments: Segments | None = None  # models/segments.yaml: how a population is sorted for planning
    quality: tuple[Fitness, ...] = ()  # models/quality.yaml: what the records are held to before they are used

    def signals_read(self, feature: Feature) -> tuple[str, ...]:
        """The signals of a feature and those that they are paired with, in order, once; unknown names stay."""
        partners = [self.signals[name].paired_with for name in feature.signals if name in self.signals]
        return tuple(dict.fromkeys((*feature.signals, *(name for name in partners if name is not None))))

    def leave_outs_for(self, condition: str) -> tuple[LeaveOut, ...]:
        common = (rule for rule in self.leave_outs if not rule.only_for or condition in rule.only_for)
        return (*common, *self.models[condition].leave_out)

    def features_for(self, condition: str) -> tuple[str, ...]:
        """Every feature a condition needs: the model's, its rules', its leave-outs', what is missing."""
        model = self.models[condition]
        names: list[str] = list(model.features)
        for rule in model.rules:
            names.extend(rule.features)
        for leave_out in self.leave_outs_for(condition):
            names.extend(features_in(leave_out.when))
        names.extend(model.missing_notes)
        for score in model.scores:
            names.extend(score.features)
        names.extend(features_in(model.treated))
        if model.known_by is not None:
            names.extend((model.known_by.readings, model.known_by.contacts))
        return tuple(dict.fromkeys(names))


assert set(EVENT_WORDS).isdisjoint(PERSON_WORDS)
