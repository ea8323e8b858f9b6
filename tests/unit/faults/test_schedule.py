"""A seed is a schedule."""

import json
from collections import Counter

from tests.faults.schedule import FAULTS_A_RUN, KINDS, plan


def test_a_seed_has_the_same_schedule_every_time() -> None:
    assert plan(7, 300) == plan(7, 300)
    assert plan(7, 300) != plan(8, 300)


def test_a_schedule_is_printed_for_people_and_for_machines() -> None:
    schedule = plan(7, 300)
    assert all(fault.kind in str(schedule) for fault in schedule.faults)
    assert json.loads(schedule.json)["seed"] == 7


def test_faults_come_while_there_is_load_before_and_after() -> None:
    for seed in range(200):
        points = [fault.at for fault in plan(seed, 300).faults]
        assert points == sorted(points)
        assert points[0] > 10
        assert points[-1] < 240


def test_a_moment_holds_the_faults_that_come_together() -> None:
    schedules = [plan(seed, 300) for seed in range(100)]
    sizes = Counter(len(moment) for schedule in schedules for moment in schedule.moments)
    assert set(sizes) == {1, 2}
    assert sum(sizes.values()) == 100 * FAULTS_A_RUN


def test_every_kind_comes_often_in_a_hundred_seeds() -> None:
    faults = [fault for seed in range(1, 101) for fault in plan(seed, 300).faults]
    found = Counter(fault.kind for fault in faults)
    assert found.keys() == set(KINDS)
    assert min(found.values()) >= 8
    assert all(bool(fault.seconds) == fault.kind.startswith("pause") for fault in faults)
