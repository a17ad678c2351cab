"""docs/node.md says what the node does: topics, parameters, diagnostic keys."""

from __future__ import annotations

import re
from pathlib import Path

from rclpy.qos import DurabilityPolicy

from spiking_retina_ros.ros import qos
from spiking_retina_ros.ros.diagnostics import camera_values
from spiking_retina_ros.ros.parameter_documents import as_markdown
from spiking_retina_ros.ros.recorder import TOPICS
from spiking_retina_ros.ros.statistics import CameraStatistics

PAGE = (Path(__file__).parents[2] / 'docs/node.md').read_text()


def section(title):
    return PAGE.partition(f'## {title}\n')[2].partition('\n## ')[0]


def test_the_parameter_table_is_the_generated_one():
    assert as_markdown() in PAGE, 'run parameter_documents markdown'


def test_every_diagnostic_key_is_explained_and_no_other():
    rows = [line.split('|')[1] for line in section('Diagnostics').splitlines() if '| `' in line]
    explained = set(re.findall(r'`(\w+)`', ' '.join(rows)))
    assert explained == set(camera_values(CameraStatistics().snapshot(), 1.0))


def test_every_topic_is_listed_with_its_type():
    rows = dict(re.findall(r'^\| `([\w/]+)` \*? ?\| ([\w/]+) \|', section('Topics'), re.MULTILINE))
    published = {
        name: f'{kind.__module__.partition(".")[0]}/msg/{kind.__name__}'
        for name, kind in TOPICS.items()
    }
    assert published.items() <= rows.items()
    assert set(rows) - set(published) == {'image', 'camera_info'}


def test_every_topic_is_listed_with_its_qos():
    profiles = dict.fromkeys(TOPICS, qos.results()) | {
        'label_info': qos.latched(),
        'image': qos.images(),
        'camera_info': qos.camera_info(),
    }
    columns = (line.split('|') for line in section('Topics').splitlines() if line.startswith('| `'))
    listed = {row[1].strip(' *`'): row[4].strip() for row in columns}
    assert listed == {topic: words(profile) for topic, profile in profiles.items()}


def words(profile):
    reliability = profile.reliability.name.lower().replace('_', ' ')
    if profile.durability == DurabilityPolicy.TRANSIENT_LOCAL:
        return f'{reliability}, transient local'
    return f'{reliability}, keep last {profile.depth}'
