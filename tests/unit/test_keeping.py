import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from chartbuster.errors import NotFound, Unreachable
from chartbuster.layout import REPORT, SCHEMA_VERSION, RawKey, ReadyKey
from chartbuster.memory import InMemoryStore
from chartbuster.ports import ObjectInfo, StoredObject
from compose.keeping import DEMO, MARKER, Emulator, Keeper, Newborn, Report
from compose.layout import BUCKETS
from compose.mirror import Place
from compose.state import CannotKeep, StateFolder, StateUnusable

UPLOAD = Place("raw", "datasets/mine/songs.csv")
READY = Place("ready", "datasets/mine/songs.csv/ab/ready_data.csv")
MANIFEST = Place("artifacts", "runs/7/manifest.json")
OUTPUTS = {"RawBucket": "raw"}


class Bucket(InMemoryStore):
    """A bucket of the pretended LocalStack: not there before the stack is deployed."""

    def __init__(self, role: str, cloud: "PretendedLocalStack") -> None:
        super().__init__()
        self._role = role
        self._cloud = cloud

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        self._cloud.asked(self._role, "list", prefix)
        return super().list(prefix)

    def read(self, key: str) -> StoredObject:
        self._cloud.asked(self._role, "read", key)
        return super().read(key)

    def create(self, key: str, body: bytes) -> str:
        self._cloud.asked(self._role, "create", key)
        return super().create(key, body)

    def write(self, key: str, body: bytes) -> str:
        self._cloud.asked(self._role, "write", key)
        return super().write(key, body)

    def replace(self, key: str, body: bytes, *, etag: str) -> str:
        self._cloud.asked(self._role, "replace", key)
        return super().replace(key, body, etag=etag)


class PretendedLocalStack:
    """Answers, forgets everything when it is born again, and remembers what it was asked."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, str]] = []
        self.healthy = True
        self.on: dict[tuple[str, str, str], Callable[[], None]] = {}
        self.is_born()

    def is_born(self) -> None:
        self.deployed = False
        self.deployments = 0
        self.buckets = {role: Bucket(role, self) for role in (*BUCKETS, "keeper")}

    def asked(self, role: str, verb: str, key: str) -> None:
        if not self.healthy:
            raise Unreachable("connection refused")
        self.calls.append((role, verb, key))
        if happening := self.on.pop((role, verb, key), None):
            happening()
        if not self.deployed:
            raise NotFound("NoSuchBucket")

    def deploy(self) -> Mapping[str, str]:
        self.deployed = True
        self.deployments += 1
        return OUTPUTS

    def put(self, place: Place, body: bytes) -> None:
        self.buckets[place.bucket].write(place.key, body)

    def has(self, place: Place) -> bool:
        return self.buckets[place.bucket].etag(place.key) is not None

    def asked_for(self, verb: str) -> list[str]:
        return [f"{role}/{key}" for role, asked, key in self.calls if asked == verb]


class Current:
    """The bucket a role has now: also after LocalStack was born again."""

    def __init__(self, cloud: PretendedLocalStack, role: str) -> None:
        self._cloud, self._role = cloud, role

    def __getattr__(self, name: str) -> object:
        return getattr(self._cloud.buckets[self._role], name)


class Watched:
    """The consumers: whether they were running at each point."""

    def __init__(self) -> None:
        self.running = False

    def hold(self) -> None:
        self.running = False

    def release(self) -> None:
        self.running = True


class Disk(StateFolder):
    """A state folder on a disk that may be full."""

    full = False

    def keep(self, place: Place, body: bytes) -> None:
        if self.full:
            raise CannotKeep(f"cannot write {place}: No space left on device")
        super().keep(place, body)


class Kept:
    """A keeper over a pretended LocalStack and a folder, with what it said."""

    def __init__(
        self, folder: Path, cloud: PretendedLocalStack, rounds: int = 1, release: str = "first"
    ) -> None:
        self.cloud = cloud
        self.state = Disk(folder)
        self.consumers = Watched()
        self.ready: list[Mapping[str, str]] = []
        self.phases: list[str] = []
        self.troubles: list[str] = []
        self.rests: list[float] = []
        self.alive = 0
        self.rounds = rounds
        markers = iter(b"123456789")
        self.keeper = Keeper(
            emulator=Emulator(
                healthy=lambda: cloud.healthy,
                deploy=cloud.deploy,
                release=release,
                outputs=lambda: OUTPUTS,
                stores={role: Current(cloud, role) for role in BUCKETS},  # type: ignore[misc]
                marker=Current(cloud, "keeper"),  # type: ignore[arg-type]
            ),
            state=self.state,
            consumers=self.consumers,
            demo=lambda: b"demo songs",
            ready=self.ready.append,
            tell=self._tell,
            alive=self._live,
            new_marker=lambda: bytes([next(markers)]),
            stopping=lambda: len(self.rests) >= self.rounds,
            rest=self.rests.append,
        )

    def _tell(self, report: Report) -> None:
        self.phases.append(report.phase)
        self.troubles.append(report.trouble)

    def _live(self) -> None:
        self.alive += 1

    def run(self) -> "Kept":
        self.keeper.run()
        return self


@pytest.fixture
def cloud() -> PretendedLocalStack:
    return PretendedLocalStack()


def test_a_first_start_deploys_seeds_the_demo_and_then_lets_the_trainer_look(
    tmp_path: Path, cloud: PretendedLocalStack
):
    kept = Kept(tmp_path, cloud).run()
    demo = Place("raw", str(DEMO))
    assert cloud.has(demo)
    assert kept.state.read(demo) == b"demo songs"
    assert kept.ready == [OUTPUTS]
    assert kept.consumers.running
    assert kept.phases == ["waiting", "deploying", "restoring", "mirroring"]


def test_a_state_that_was_emptied_by_its_owner_gets_no_demo_again(
    tmp_path: Path, cloud: PretendedLocalStack
):
    StateFolder(tmp_path).begin()
    Kept(tmp_path, cloud).run()
    assert cloud.asked_for("create") == []


def test_kept_objects_go_back_from_the_last_effect_to_the_first_cause(
    tmp_path: Path, cloud: PretendedLocalStack
):
    state = StateFolder(tmp_path)
    for place in (UPLOAD, READY, MANIFEST):
        state.keep(place, str(place).encode())
    Kept(tmp_path, cloud).run()
    assert cloud.asked_for("create") == [str(MANIFEST), str(READY), str(UPLOAD)]
    assert cloud.buckets["raw"].read(UPLOAD.key).body == str(UPLOAD).encode()


def test_consumers_are_held_until_everything_is_back(tmp_path: Path, cloud: PretendedLocalStack):
    StateFolder(tmp_path).keep(UPLOAD, b"songs")
    kept = Kept(tmp_path, cloud)
    kept.consumers.running = True
    seen = []
    cloud.on["raw", "create", UPLOAD.key] = lambda: seen.append(kept.consumers.running)
    kept.run()
    assert seen == [False]
    assert kept.consumers.running


def test_what_somebody_wrote_before_the_restore_is_not_written_over(
    tmp_path: Path, cloud: PretendedLocalStack
):
    StateFolder(tmp_path).keep(UPLOAD, b"old")
    cloud.deploy()
    cloud.put(UPLOAD, b"newer")
    kept = Kept(tmp_path, cloud).run()
    assert kept.state.read(UPLOAD) == b"newer"


def test_uploads_and_removals_are_mirrored(tmp_path: Path, cloud: PretendedLocalStack):
    kept = Kept(tmp_path, cloud)
    kept.keeper.adopt_or_restore()
    cloud.put(UPLOAD, b"songs")
    kept.keeper.mirror()
    assert kept.state.read(UPLOAD) == b"songs"
    cloud.buckets["raw"].delete(UPLOAD.key)
    kept.keeper.mirror()
    assert UPLOAD not in set(kept.state.places())


def test_a_round_in_which_nothing_changed_reads_no_object(
    tmp_path: Path, cloud: PretendedLocalStack
):
    kept = Kept(tmp_path, cloud)
    StateFolder(tmp_path).keep(UPLOAD, b"songs")
    kept.keeper._step()
    kept.keeper._step()
    cloud.calls.clear()
    kept.keeper._step()
    assert cloud.asked_for("read") == []


def test_a_newborn_localstack_is_never_mirrored_as_deletions(
    tmp_path: Path, cloud: PretendedLocalStack
):
    kept = Kept(tmp_path, cloud)
    kept.keeper.adopt_or_restore()
    cloud.put(UPLOAD, b"songs")
    kept.keeper.mirror()
    cloud.is_born()
    cloud.deploy()  # as empty as everything deleted would be
    with pytest.raises(Newborn):
        kept.keeper.mirror()
    assert kept.state.read(UPLOAD) == b"songs"


def test_a_localstack_that_dies_between_two_listings_loses_nothing(
    tmp_path: Path, cloud: PretendedLocalStack
):
    kept = Kept(tmp_path, cloud)
    kept.keeper.adopt_or_restore()
    cloud.put(UPLOAD, b"songs")
    kept.keeper.mirror()

    def reborn() -> None:
        cloud.is_born()
        cloud.deploy()

    cloud.on["ready", "list", ""] = reborn
    with pytest.raises(Newborn):
        kept.keeper.mirror()
    assert kept.state.read(UPLOAD) == b"songs"


def test_a_localstack_that_comes_back_empty_gets_everything_again(
    tmp_path: Path, cloud: PretendedLocalStack
):
    kept = Kept(tmp_path, cloud)
    kept.keeper._step()
    cloud.put(UPLOAD, b"songs")
    kept.keeper._step()
    cloud.healthy = False
    kept.keeper._step()
    cloud.is_born()
    cloud.healthy = True
    kept.keeper._step()
    assert cloud.buckets["raw"].read(UPLOAD.key).body == b"songs"
    assert kept.phases[-1] == "mirroring"


def test_a_restarted_keeper_takes_over_a_living_localstack_without_restoring(
    tmp_path: Path, cloud: PretendedLocalStack
):
    Kept(tmp_path, cloud).run()
    cloud.put(UPLOAD, b"written while no keeper ran")
    cloud.buckets["raw"].delete(str(DEMO))
    cloud.calls.clear()
    kept = Kept(tmp_path, cloud).run()
    assert cloud.asked_for("create") == []
    assert set(kept.state.places()) == {UPLOAD}
    assert kept.consumers.running
    assert kept.ready == [OUTPUTS]


def test_a_restore_cut_off_in_the_middle_is_made_whole_by_the_next_keeper(
    tmp_path: Path, cloud: PretendedLocalStack
):
    state = StateFolder(tmp_path)
    for place in (UPLOAD, READY, MANIFEST):
        state.keep(place, b"kept")

    def killed() -> None:
        raise KeyboardInterrupt

    cloud.on["ready", "create", READY.key] = killed
    with pytest.raises(KeyboardInterrupt):
        Kept(tmp_path, cloud).run()
    assert cloud.buckets["keeper"].etag(MARKER) is None
    Kept(tmp_path, cloud).run()
    assert all(cloud.has(place) for place in (UPLOAD, READY, MANIFEST))
    assert set(StateFolder(tmp_path).places()) >= {UPLOAD, READY, MANIFEST}


def test_a_stop_makes_one_last_pass(tmp_path: Path, cloud: PretendedLocalStack):
    kept = Kept(tmp_path, cloud, rounds=1)

    def rest(seconds: float) -> None:
        kept.rests.append(seconds)
        cloud.put(UPLOAD, b"last words")

    kept.keeper._rest = rest
    kept.run()
    assert kept.state.read(UPLOAD) == b"last words"


def test_an_object_that_changes_between_listing_and_reading_waits_for_the_next_pass(
    tmp_path: Path, cloud: PretendedLocalStack
):
    kept = Kept(tmp_path, cloud)
    kept.keeper.adopt_or_restore()
    cloud.put(UPLOAD, b"first")
    cloud.on["raw", "read", UPLOAD.key] = lambda: cloud.put(UPLOAD, b"second")
    kept.keeper.mirror()
    assert UPLOAD not in set(kept.state.places())
    kept.keeper.mirror()
    assert kept.state.read(UPLOAD) == b"second"


def test_an_unreadable_kept_object_stops_the_restore_and_is_not_deleted_as_missing(
    tmp_path: Path, cloud: PretendedLocalStack
):
    StateFolder(tmp_path).keep(UPLOAD, b"songs")
    file = tmp_path / "raw/datasets/mine/songs.csv"
    kept = Kept(tmp_path, cloud, rounds=2)
    file.unlink()
    file.symlink_to(tmp_path / "nowhere")
    kept.run()
    assert kept.phases[-1] == "troubled"
    assert "raw/datasets/mine/songs.csv" in kept.troubles[-1]
    assert not kept.consumers.running
    assert file.is_symlink()


def test_a_full_disk_is_told_and_mirroring_goes_on_when_there_is_room_again(
    tmp_path: Path, cloud: PretendedLocalStack
):
    kept = Kept(tmp_path, cloud)
    kept.keeper._step()
    cloud.put(UPLOAD, b"songs")
    kept.state.full = True
    rest = kept.keeper._step()
    assert rest > 1
    assert "No space left" in kept.troubles[-1]
    kept.state.full = False
    kept.keeper._step()
    assert kept.state.read(UPLOAD) == b"songs"
    assert kept.phases[-1] == "mirroring"


def test_a_new_release_is_deployed_into_a_living_localstack_and_nothing_is_put_back(
    tmp_path: Path, cloud: PretendedLocalStack
):
    Kept(tmp_path, cloud).run()
    cloud.calls.clear()

    kept = Kept(tmp_path, cloud, release="second").run()

    assert cloud.deployments == 2
    assert kept.ready == [OUTPUTS]
    assert kept.phases == ["waiting", "deploying", "mirroring"]
    assert not [key for key in cloud.asked_for("create") if not key.startswith("keeper/")]
    assert cloud.buckets["keeper"].read(MARKER).body.startswith(b"second ")


def test_a_new_release_uploads_again_what_was_prepared_in_another_schema(
    tmp_path: Path, cloud: PretendedLocalStack
):
    def prepared(file: str, schema: int) -> None:
        raw = RawKey("mine", file)
        cloud.put(Place("raw", str(raw)), b"songs")
        pointer = {"upload_id": "ab", "status": "ready"}
        cloud.put(Place("ready", raw.current), json.dumps(pointer).encode())
        report = {"status": "ready", "schema_version": schema}
        cloud.put(Place("ready", raw.prepared("ab", REPORT)), json.dumps(report).encode())
        cloud.put(Place("ready", str(ReadyKey(raw, "ab"))), b"ready")

    Kept(tmp_path, cloud).run()
    prepared("older.csv", SCHEMA_VERSION - 1)
    prepared("newer.csv", SCHEMA_VERSION)
    cloud.calls.clear()

    kept = Kept(tmp_path, cloud, release="second").run()

    assert cloud.asked_for("replace") == ["raw/datasets/mine/older.csv"]
    assert kept.state.read(Place("raw", "datasets/mine/older.csv")) == b"songs"
    cloud.calls.clear()
    Kept(tmp_path, cloud, release="second").run()
    assert cloud.asked_for("replace") == []


def test_restoring_once_makes_localstack_hold_state_and_release_and_ends(
    tmp_path: Path, cloud: PretendedLocalStack
):
    StateFolder(tmp_path).keep(UPLOAD, b"songs")
    kept = Kept(tmp_path, cloud)
    assert not kept.keeper.is_restored()

    kept.keeper.restore()

    assert kept.keeper.is_restored()
    assert cloud.has(UPLOAD)
    assert not Kept(tmp_path, cloud, release="second").keeper.is_restored()


def test_restoring_once_waits_for_a_localstack_that_is_not_there_yet(
    tmp_path: Path, cloud: PretendedLocalStack
):
    cloud.healthy = False
    kept = Kept(tmp_path, cloud, rounds=3)

    kept.keeper.restore()

    assert len(kept.rests) == 3
    assert cloud.deployments == 0


def test_what_will_never_be_restored_is_raised_and_not_tried_for_ever(
    tmp_path: Path, cloud: PretendedLocalStack
):
    (tmp_path / "about.json").write_text('{"format": 99}')

    with pytest.raises(StateUnusable, match="format 99"):
        Kept(tmp_path, cloud).keeper.restore()


def test_a_keeper_is_alive_with_every_pass_and_not_while_it_is_in_trouble(
    tmp_path: Path, cloud: PretendedLocalStack
):
    kept = Kept(tmp_path, cloud, rounds=3).run()
    assert kept.alive == 3

    (tmp_path / "about.json").write_text('{"format": 99}')
    cloud.is_born()
    troubled = Kept(tmp_path, cloud, rounds=3).run()
    assert troubled.alive == 0
    assert "format 99" in troubled.troubles[-1]


def test_a_keeper_is_alive_while_it_waits_for_localstack(
    tmp_path: Path, cloud: PretendedLocalStack
):
    cloud.healthy = False

    assert Kept(tmp_path, cloud, rounds=4).run().alive == 4


def test_a_keeper_is_alive_with_every_object_it_puts_back(
    tmp_path: Path, cloud: PretendedLocalStack
):
    for place in (UPLOAD, READY, MANIFEST):
        StateFolder(tmp_path).keep(place, b"kept")
    kept, seen = Kept(tmp_path, cloud), list[int]()
    for place in (READY, UPLOAD):
        cloud.on[place.bucket, "create", place.key] = lambda: seen.append(kept.alive)

    kept.keeper.adopt_or_restore()

    assert seen == [1, 2]
