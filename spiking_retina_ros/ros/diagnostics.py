"""Snapshots of cameras and network as diagnostic_msgs, with the keys the documentation lists."""

from __future__ import annotations

from collections.abc import Mapping

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue

from spiking_retina_ros.ros.network import Network
from spiking_retina_ros.ros.parameters import Settings
from spiking_retina_ros.ros.statistics import Snapshot

DROP_REASONS = ('superseded', 'queue_full', 'too_old', 'undecodable', 'failed', 'interrupted')

OK, WARN, ERROR = b'\x00', b'\x01', b'\x02'


def camera_status(
    name: str, snapshot: Snapshot, *, complaint: str, energy_per_operation: float, hardware: str
) -> DiagnosticStatus:
    """
    Return the status of one camera.

    ``complaint`` is what silence.explain found, empty while all is well. ``energy_per_operation``
    is in picojoules.
    """
    level, message = OK, f'{snapshot.rate_out:.1f} answers per second'
    faults = {reason: snapshot.dropped.get(reason, 0) for reason in ('undecodable', 'failed')}
    if complaint:
        level, message = ERROR, complaint
    elif any(faults.values()):
        level = WARN
        counts = ', '.join(f'{count} {reason}' for reason, count in faults.items() if count)
        message += f'; dropped so far: {counts}; last: {snapshot.last_error}'
    return DiagnosticStatus(
        level=level,
        name=name,
        message=message,
        hardware_id=hardware,
        values=_key_values(camera_values(snapshot, energy_per_operation)),
    )


def camera_values(snapshot: Snapshot, energy_per_operation: float) -> dict[str, str]:
    """Return the diagnostic keys and values of one camera."""
    values = {
        'images_received': str(snapshot.received),
        'frames_answered': str(snapshot.answered),
        'rate_in_hz': f'{snapshot.rate_in:.2f}',
        'rate_out_hz': f'{snapshot.rate_out:.2f}',
    }
    for reason in DROP_REASONS:
        values[f'dropped_{reason}'] = str(snapshot.dropped.get(reason, 0))
    for part in ('decode', 'inference', 'publish', 'total', 'age', 'early'):
        spread = snapshot.timings.get(part)
        values[f'{part}_ms_median'] = f'{spread.median:.2f}' if spread else ''
        values[f'{part}_ms_p95'] = f'{spread.p95:.2f}' if spread else ''
    for class_name, count in sorted(snapshot.objects.items()):
        values[f'objects_{class_name}'] = str(count)
    energy = snapshot.operations_per_frame * energy_per_operation * 1e-9
    return values | {
        'steps': str(snapshot.steps),
        'transient': str(snapshot.transient),
        'spikes_per_frame': f'{snapshot.spikes_per_frame:.1f}',
        'synaptic_operations_per_frame': f'{snapshot.operations_per_frame:.1f}',
        'energy_per_frame_mj': f'{energy:.4f}',
        'mean_rate': f'{snapshot.mean_rate:.5f}',
        'last_error': snapshot.last_error,
    }


def network_status(
    name: str, network: Network | None, settings: Settings, *, state: str, failure: str
) -> DiagnosticStatus:
    """Return the status of the node itself: its lifecycle state, network and window."""
    level, message = OK, state
    if failure:
        level, message = ERROR, failure
    values = {'state': state}
    if network is not None:
        transient = network.transient if settings.transient < 0 else settings.transient
        values |= {
            'model_hash': network.model_hash,
            'engine': network.engine,
            'classes': ', '.join(network.class_names),
            'steps': str(settings.steps or network.steps),
            'transient': str(transient),
            'early_steps': str(settings.early_steps),
        }
    return DiagnosticStatus(level=level, name=name, message=message, values=_key_values(values))


def _key_values(values: Mapping[str, str]) -> list[KeyValue]:
    return [KeyValue(key=key, value=value) for key, value in values.items()]
