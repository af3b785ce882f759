"""Random stories: no sequence of facts breaks the invariants, and the way of looking is no matter."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registrar import actions, deadlines, fact, facts, kept_course, timeline
from registrar.course import FAR, Course
from registrar.fact import Fact
from registrar.fact_codec import FACTS, decode, encode
from registrar.lifecycle import project, state_of
from registrar.model import Life, Registration, State
from registrar.policy import Form
from registrar.statuses import PENDINGS, Status, faults
from tests.registrations import NAME_SERVERS, START, draft

DAYS: Final = 1000
CONTRACTS: Final = ("n", "h", "consumer")
TLDS: Final = ("gtld", "gtld-reform", "de", "eu")
SETTABLE: Final = [status for status in Status if status not in PENDINGS]

statuses = st.frozensets(st.sampled_from(SETTABLE), max_size=4)
moments = st.integers(0, DAYS * 24).map(lambda hours: START + timedelta(hours=hours))
days = moments.map(lambda moment: moment.date())

# How the particulars of a fact are made up; the others have defaults.
PARTICULARS: Final[dict[str, st.SearchStrategy[object]]] = {
    "expires": moments | st.none(),
    "added": statuses,
    "removed": statuses,
    "hosts": st.sampled_from([NAME_SERVERS, NAME_SERVERS[:1]]),
    "form": st.sampled_from(Form),
    "documents": st.sampled_from([frozenset(), frozenset({"close-request"})]),
    "document": st.sampled_from(["close-request", "another"]),
    "cause": st.sampled_from(fact.Cause),
    "contact": st.sampled_from(["C1", "C2"]),
    "through": days,
    "since": days,
    "cents": st.integers(0, 20000),
    "moment": moments | st.none(),
    "ttl": st.integers(0, 172800),
    "admin_is_person": st.just(value=True),
    "automatic": st.booleans(),
    "past_period": st.booleans(),
    "opted_out": st.booleans(),
    "registry": st.booleans(),
}


def strategy(kind: type[Fact]) -> st.SearchStrategy[Fact]:
    """Return facts of a kind at random moments."""
    fields = {
        name: PARTICULARS[name]
        for name in kind.__dataclass_fields__
        if name in PARTICULARS and not (kind is facts.Renewed and name == "expires")
    }
    if kind is facts.Renewed:
        fields["expires"] = moments
    build: Callable[..., Fact] = kind
    return st.builds(build, moments, **fields)


any_fact = st.one_of([strategy(kind) for kind in FACTS.values()])
# Many stories begin as they do in life, so that the later stages are reached.
beginnings = st.sampled_from(
    [
        (),
        (
            facts.Submitted(START),
            facts.NameServersSet(START, NAME_SERVERS),
            facts.Sent(START),
            facts.Registered(START, START + timedelta(days=365)),
        ),
    ]
)
registrations = st.builds(
    lambda contract, tld, begun, story: draft(*begun, *story, contract=contract, tld=tld),
    st.sampled_from(CONTRACTS),
    st.sampled_from(TLDS),
    beginnings,
    st.lists(any_fact, max_size=14).map(tuple),
)


def check_invariants(state: State) -> None:
    """Fail where the statuses break EPP's rules, or clocks run where they may not."""
    if state.statuses:
        assert faults(state.statuses, delegated=bool(state.name_servers)) == []
    else:
        assert state.life not in {Life.REGISTERED, Life.CLOSING, Life.REDEMPTION}
    assert len(state.statuses & PENDINGS) <= 1
    assert all(due >= state.at for _, due in state.timers)


@given(registrations, moments)
@settings(max_examples=200)
def test_no_story_breaks_the_invariants(registration: Registration, now: object) -> None:
    """At the time of every fact, and at a random one, EPP's rules about statuses hold."""
    for at in [now, *(known.at for known in registration.facts)]:
        check_invariants(project(registration, at))  # type: ignore[arg-type]


@given(registrations, moments, st.integers(0, 3000 * 24))
@settings(max_examples=150)
def test_nothing_but_renewals_comes_while_it_is_steady(
    registration: Registration, looked: datetime, hours: int
) -> None:
    """Up to when a course says so, no region changes its state; what is renewed is as walked."""
    course = Course(registration)
    course.to(max(looked, *(known.at for known in registration.facts), START))
    steady = course.steady_until
    assert course.clock is not None
    assert steady >= course.clock
    last = steady - timedelta(seconds=1)
    at = min(course.clock + timedelta(hours=hours), last)
    if at >= course.clock:
        before = course.standing
        course.to(at)
        assert course.standing is before
        assert state_of(course) == project(registration, at)


@given(registrations)
@settings(max_examples=30)
def test_projecting_equals_living_through_every_day(registration: Registration) -> None:
    """Whoever looks every day sees, on each, what a projection to that day sees."""
    course = Course(registration)
    for number in range(DAYS + 400):
        now = START + timedelta(days=number)
        course.to(now)
        if number % 97 == 0 or number == DAYS + 399:
            lived, projected = state_of(course), project(registration, now)
            assert lived == projected
            check_invariants(lived)


@given(registrations, moments, moments)
@settings(max_examples=100)
def test_going_on_from_a_kept_course_equals_replaying(
    registration: Registration, looked: datetime, at: datetime
) -> None:
    """Where the facts have come in, a course kept and gone on with is as one walked from them.

    The date is before, at and after what is due next, and beyond all facts.
    """
    for kept_at in (looked, START + timedelta(days=DAYS + 1)):
        course = Course(registration)
        course.to(kept_at)
        text = kept_course.keep(course)
        if any(known.at > kept_at for known in registration.facts):
            assert text is None
            continue
        due = min(course.next_due, FAR - timedelta(days=2))
        second = timedelta(seconds=1)
        ahead = {at, kept_at, due - second, due, due + second, at + timedelta(days=1500)}
        for moment in sorted(ahead):
            if moment < kept_at:
                continue
            again = kept_course.go_on(
                registration.name, registration.contract, registration.tld, text
            )
            assert again is not None
            again.to(moment)
            assert state_of(again) == project(registration, moment)
            replayed = Course(registration)
            replayed.to(moment)
            assert kept_course.keep(again) == kept_course.keep(replayed)
            assert deadlines.deadlines_of(again) == deadlines.deadlines_of(replayed)


def test_every_attribute_of_a_course_is_kept() -> None:
    """What a course gets in addition is kept, too, or said not to be; both lists are whole."""
    assert set(kept_course.CODECS) | kept_course.NOT_KEPT == set(Course.__slots__)
    assert not set(kept_course.CODECS) & kept_course.NOT_KEPT


def test_a_course_under_other_rules_is_not_gone_on_with(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another contract, another registry's rules, other code: the facts are walked again."""
    story = draft(facts.Submitted(START))
    course = Course(story)
    course.to(START)
    text = kept_course.keep(course)
    known = story.contract, story.tld
    assert kept_course.go_on(story.name, *known, text) is not None
    changed = story.contract.model_copy(update={"invoice_months": story.contract.proof_days})
    assert kept_course.go_on(story.name, changed, story.tld, text) is None
    assert kept_course.go_on(story.name, story.contract, draft(tld="de").tld, text) is None
    monkeypatch.setattr(kept_course, "code", lambda: "another")
    monkeypatch.setattr(kept_course, "_MARKS", {})
    assert kept_course.go_on(story.name, *known, text) is None


@given(registrations, moments)
@settings(max_examples=100)
def test_recording_changes_nothing(registration: Registration, now: object) -> None:
    """A course that is recorded step by step ends where one ends that takes years at once."""
    course = Course(registration, record=True)
    course.to(now)  # type: ignore[arg-type]
    assert state_of(course) == project(registration, now)  # type: ignore[arg-type]


@given(registrations, moments)
@settings(max_examples=40)
def test_every_question_has_an_answer(registration: Registration, now: object) -> None:
    """Reasons, deadlines and timelines come of any story at any time."""
    at = now
    for action in actions.Action:
        for reason in actions.why_not(registration, action, at):  # type: ignore[arg-type]
            assert reason.lifts is None or reason.lifts > at  # type: ignore[operator]
    deadlines.next_deadlines(registration, at)  # type: ignore[arg-type]
    timeline.timeline(registration, at, at + timedelta(days=800))  # type: ignore[arg-type,operator]


@given(any_fact)
def test_facts_survive_their_writing(told: Fact) -> None:
    """A fact that was written is read again as it was; equal facts are written alike."""
    assert decode(encode(told)) == told


def test_what_is_no_fact_is_refused() -> None:
    """Unknown events and wrong particulars are errors, and nothing is made up."""
    for text in ('{"event": "surprise"}', '{"event": "paid", "at": "2024-01-01T00:00:00Z"}', "[]"):
        with pytest.raises(ValueError, match=r"no fact|validation error"):
            decode(text)


@pytest.mark.requirement("REG-5")
def test_a_portfolio_can_be_projected(rng: random.Random) -> None:
    """Projections of many registrations are those of each alone, in whatever order."""
    stories = [
        draft(
            facts.Submitted(START),
            facts.Registered(START, START + timedelta(days=365 * rng.randrange(1, 5))),
            tld=rng.choice(TLDS),
        )
        for _ in range(50)
    ]
    now = START + timedelta(days=rng.randrange(3000))
    expected = [project(story, now) for story in stories]
    rng.shuffle(stories)
    found = [project(story, now) for story in stories]
    assert sorted(map(repr, found)) == sorted(map(repr, expected))
