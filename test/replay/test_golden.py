"""The shipped network answers as it did when golden.json was written: exactly the same spikes."""

import json

import pytest
from golden import GOLDEN, answers


def test_frames_give_the_golden_answers():
    found, expected = answers(), json.loads(GOLDEN.read_text())
    again = 'if the network was changed on purpose: PYTHONPATH=. python test/replay/golden.py'
    assert found['model_hash'] == expected['model_hash'], again
    for one, other in zip(found['frames'], expected['frames'], strict=True):
        window, wanted = one['window'], other['window']
        assert {key: window[key] for key in wanted} == pytest.approx(wanted, rel=1e-12)
        assert window['spikes'] == wanted['spikes']
        assert window['synaptic_operations'] == wanted['synaptic_operations']
        names = [item['class_name'] for item in one['detections']]
        assert names == [item['class_name'] for item in other['detections']]
        for item, target in zip(one['detections'], other['detections'], strict=True):
            assert item['score'] == pytest.approx(target['score'], abs=1e-4)
            assert item['box'] == pytest.approx(target['box'], abs=0.05)
