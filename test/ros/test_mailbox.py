from __future__ import annotations

import threading

from spiking_retina_ros.ros.mailbox import Mailbox


def test_the_newest_frame_replaces_the_one_that_waits():
    mailbox = Mailbox(['bow'], keep_newest=True)
    assert mailbox.put('bow', 1) is None
    assert mailbox.put('bow', 2) == 'superseded'
    assert mailbox.take() == 2
    assert mailbox.put('bow', 3) is None


def test_a_queue_keeps_order_and_refuses_what_does_not_fit():
    mailbox = Mailbox(['bow'], keep_newest=False, capacity=2)
    assert [mailbox.put('bow', number) for number in (1, 2, 3)] == [None, None, 'queue_full']
    assert [mailbox.take(), mailbox.take()] == [1, 2]


def test_cameras_take_turns_however_busy_one_is():
    mailbox = Mailbox(['bow', 'port', 'aft'], keep_newest=False, capacity=10)
    for number in range(3):
        mailbox.put('bow', f'bow {number}')
    mailbox.put('aft', 'aft 0')
    mailbox.put('port', 'port 0')
    taken = [mailbox.take() for _ in range(5)]
    assert taken == ['bow 0', 'port 0', 'aft 0', 'bow 1', 'bow 2']


def test_closing_wakes_the_worker_and_clearing_counts():
    mailbox: Mailbox[int] = Mailbox(['bow', 'aft'], keep_newest=True)
    taken = []
    worker = threading.Thread(target=lambda: taken.append(mailbox.take()))
    worker.start()
    mailbox.close()
    worker.join(5)
    assert taken == [None]
    mailbox.put('aft', 1)
    assert mailbox.clear() == {'bow': 0, 'aft': 1}
