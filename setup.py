from glob import glob

from setuptools import find_packages, setup

package_name = 'spiking_retina_ros'

setup(
    name=package_name,
    version='0.1.0',
    packages=find_packages(include=[package_name, f'{package_name}.*']),
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{package_name}']),
        (f'share/{package_name}', ['package.xml']),
        (f'share/{package_name}/launch', sorted(glob('launch/*.launch.py'))),
        (f'share/{package_name}/config', sorted(glob('config/*.*'))),
        (
            f'share/{package_name}/models',
            sorted(glob('models/*.safetensors')) + sorted(glob('models/*.md')),
        ),
    ],
    install_requires=['setuptools'],
    zip_safe=False,
    maintainer='spiking_retina_ros maintainers',
    maintainer_email='maintainer@example.org',
    description='Boats and buoys from a ROS 2 camera topic through a spiking RetinaNet.',
    license='Apache-2.0',
    python_requires='>=3.10',
    # colcon runs pytest only where this extra exists.
    extras_require={'test': ['pytest']},
    entry_points={
        'console_scripts': [
            'detector_node = spiking_retina_ros.ros.detector:main',
            'sea_camera_node = spiking_retina_ros.ros.sea_camera:main',
        ],
    },
)
