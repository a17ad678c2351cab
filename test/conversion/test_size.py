import numpy as np

from spiking_retina_ros.conversion.convert import convert
from spiking_retina_ros.conversion.options import ConversionOptions
from spiking_retina_ros.conversion.size import measure_size
from spiking_retina_ros.retinanet.config import RetinaNetConfig
from spiking_retina_ros.retinanet.network import build_retinanet
from spiking_retina_ros.spiking.network import Window
from spiking_retina_ros.spiking.plan import make_plan


def test_counts_are_those_of_the_converted_network():
    config = RetinaNetConfig(
        backbone='resnet18', pyramid_channels=8, head_depth=1, input_size=(32, 64)
    )
    analog = build_retinanet(config).eval()
    options = ConversionOptions.fast(keep_dead_channels=True)
    images = list(np.random.default_rng(0).integers(0, 256, (2, 32, 64, 3), dtype=np.uint8))
    plan = make_plan(convert(analog, images, options, window=Window(4, 0)).network, (32, 64))
    size = measure_size(analog, options)
    assert (size.neurons, size.macs) == (plan.neurons, plan.analog_macs)
    assert size.parameters == sum(item.numel() for item in analog.parameters())
