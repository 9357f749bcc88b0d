"""What is on record of deployments, and where a rollback goes."""

from datetime import UTC, datetime, timedelta

import pytest

from chartbuster.errors import Conflict, Corrupt, Misconfigured, NotFound
from chartbuster.memory import InMemoryStore
from scripts.aws.records import (
    DEPLOYMENTS,
    Record,
    Records,
    StackRecord,
    Unfinished,
    listed,
    standing,
    wanted_record,
)

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)


def record(image: str = "a", *, back_to: str = "", revision: str = "r") -> Record:
    return Record(
        manifest={"revision": revision},
        images={"trainer": f"registry/trainer@sha256:{image * 64}"},
        stacks={
            part: StackRecord("Resources: {}", {"Stage": "dev"})
            for part in ("compute", "bootstrap", "data")
        },
        back_to=back_to,
    )


@pytest.fixture
def records() -> Records:
    return Records(InMemoryStore())


def names_of(records: Records, *added: Record) -> list[str]:
    return [records.add(each, now=NOW + timedelta(minutes=n))[0] for n, each in enumerate(added)]


def test_a_record_comes_back_as_it_was(records):
    name, new = records.add(record(), now=NOW)

    assert new
    assert name.startswith("20261129T120000.000000Z-")
    assert records.names() == (name,)
    assert records.read(name) == record()


def test_what_is_deployed_already_is_not_recorded_again(records):
    first, _ = records.add(record(), now=NOW)

    assert records.add(record(), now=NOW + timedelta(hours=1)) == (first, False)


def test_another_commit_that_built_the_same_is_not_recorded_again(records):
    first, _ = records.add(record(), now=NOW)

    assert records.add(record(revision="s"), now=NOW + timedelta(hours=1)) == (first, False)


def test_what_was_deployed_before_the_last_is_recorded_again(records):
    one, two, three = names_of(records, record("a"), record("b"), record("a"))

    assert records.names() == (one, two, three)
    assert one.split("-")[1] == three.split("-")[1]


def test_a_clock_that_is_behind_makes_no_record_older_than_the_last(records):
    first, _ = records.add(record("a"), now=NOW)
    second, _ = records.add(record("b"), now=NOW - timedelta(days=1))

    assert records.names() == (first, second)


def test_a_lost_answer_to_ones_own_write_is_no_conflict():
    class ReplyLost(InMemoryStore):
        def create(self, key: str, body: bytes) -> str:
            super().create(key, body)
            raise Conflict(key)

    name, new = Records(ReplyLost()).add(record(), now=NOW)

    assert new
    assert name


def test_other_objects_are_no_records(records):
    records.store.write(f"{DEPLOYMENTS}notes.txt", b"")
    records.store.write(f"{DEPLOYMENTS}latest.json", b"{}")

    assert records.names() == ()


def test_half_a_record_is_refused(records):
    (name,) = names_of(records, record())
    records.store.write(f"{DEPLOYMENTS}{name}.json", b'{"images": {}}')

    with pytest.raises(Corrupt, match="lacks manifest, stacks"):
        records.read(name)


def test_the_stacks_of_a_record_are_applied_in_the_order_of_a_deployment():
    assert [part for part, _ in record().in_order()] == ["bootstrap", "data", "compute"]


def test_a_deployment_under_way_is_noted_until_it_is_through(records):
    assert records.unfinished() is None

    records.begin("r1", now=NOW)
    records.begin("r2", now=NOW + timedelta(hours=1))

    assert records.unfinished() == Unfinished("2026-11-29T12:00:00+00:00", "r2")
    records.finish()
    assert records.unfinished() is None


def test_a_rollback_goes_to_the_deployment_before(records):
    one, _two = names_of(records, record("a"), record("b"))

    assert wanted_record(records.all()) == one


def test_two_rollbacks_go_two_deployments_back(records):
    one, two, _three = names_of(records, record("a"), record("b"), record("c"))
    back, _ = records.add(record("b", back_to=two), now=NOW + timedelta(hours=1))

    assert standing(records.all()) == (one, two)
    assert back not in standing(records.all())
    assert wanted_record(records.all()) == one


def test_after_a_rollback_a_new_deployment_can_be_taken_back_alone(records):
    one, *_ = names_of(records, record("a"), record("b"))
    records.add(record("a", back_to=one), now=NOW + timedelta(hours=1))
    newest, _ = records.add(record("c"), now=NOW + timedelta(hours=2))

    assert standing(records.all()) == (one, newest)
    assert wanted_record(records.all()) == one


def test_with_nothing_before_it_a_rollback_says_so(records):
    with pytest.raises(NotFound, match="none has come through yet"):
        wanted_record({})
    (only,) = names_of(records, record())
    with pytest.raises(NotFound, match=f"only {only} stands"):
        wanted_record(records.all())


def test_while_a_deployment_is_unfinished_the_last_that_came_through_is_the_one(records):
    _one, two = names_of(records, record("a"), record("b"))

    assert wanted_record(records.all(), unfinished=Unfinished("now", "r")) == two


def test_an_unfinished_first_deployment_leaves_nothing_to_go_back_to():
    with pytest.raises(NotFound, match="none has come through yet"):
        wanted_record({}, unfinished=Unfinished("now", "r"))


def test_a_record_may_be_named_by_its_time_or_by_its_digits(records):
    one, two = names_of(records, record("a"), record("b"))

    assert wanted_record(records.all(), to=two) == two
    assert wanted_record(records.all(), to="20261129T1200") == one
    assert wanted_record(records.all(), to=one.split("-")[1][:6]) == one


def test_a_deployment_that_came_back_is_one_by_its_digits(records):
    one, _two, three = names_of(records, record("a"), record("b"), record("a"))

    assert wanted_record(records.all(), to=one.split("-")[1]) == three


def test_an_unknown_or_ambiguous_record_is_refused_with_those_there_are(records):
    one, two = names_of(records, record("a"), record("b"))

    with pytest.raises(NotFound, match=f"no record 'x'; expected one of {one}, {two}"):
        wanted_record(records.all(), to="x")
    with pytest.raises(Misconfigured, match=f"may be any of {one}, {two}"):
        wanted_record(records.all(), to="2026")


def test_the_list_has_the_newest_first_and_says_what_is_unfinished(records):
    one, _two = names_of(records, record("a"), record("b"))
    back, _ = records.add(record("a", back_to=one), now=NOW + timedelta(hours=1))

    lines = listed(records.all(), Unfinished("2026-11-29T14:00:00+00:00", "abc"))

    assert lines[0] == "a deployment of abc, begun 2026-11-29T14:00:00+00:00, is unfinished"
    assert lines[1].startswith(f"{back}  2026-11-29 13:00:00 UTC  back to {one}")
    assert lines[-1].startswith(one)
