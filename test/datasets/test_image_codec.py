"""Every encoding decodes to the picture it was made from, and broken data are named."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spiking_retina_ros.datasets.image_codec import (
    decode_compressed,
    decode_image,
    known_encodings,
)


@pytest.fixture
def picture() -> np.ndarray:
    """Return a (6, 8, 3) BGR picture in which every value differs from its neighbours."""
    return np.random.default_rng(3).integers(0, 256, (6, 8, 3), np.uint8)


def packed(picture: np.ndarray, encoding: str) -> np.ndarray:
    alpha = np.full((*picture.shape[:2], 1), 77, np.uint8)
    return {
        'bgr8': picture,
        'rgb8': picture[..., ::-1],
        'bgra8': np.concatenate([picture, alpha], axis=2),
        'rgba8': np.concatenate([picture[..., ::-1], alpha], axis=2),
        'mono8': picture[..., :1],
    }[encoding]


@pytest.mark.parametrize('encoding', ['bgr8', 'rgb8', 'bgra8', 'rgba8', 'mono8'])
@pytest.mark.parametrize('padding', [0, 5])
def test_packed_pixels_come_back_with_and_without_padding(picture, encoding, padding):
    rows = np.ascontiguousarray(packed(picture, encoding)).reshape(6, -1)
    padded = np.pad(rows, ((0, 0), (0, padding)), constant_values=200)
    image = decode_image(
        padded.tobytes(), width=8, height=6, encoding=encoding, step=padded.shape[1]
    )
    expected = np.repeat(picture[..., :1], 3, axis=2) if encoding == 'mono8' else picture
    np.testing.assert_array_equal(image, expected)


def test_padding_after_the_last_row_may_be_missing(picture):
    padded = np.pad(picture.reshape(6, -1), ((0, 0), (0, 4))).tobytes()[:-4]
    image = decode_image(padded, width=8, height=6, encoding='bgr8', step=28)
    np.testing.assert_array_equal(image, picture)


@pytest.mark.parametrize('big', [False, True])
@pytest.mark.parametrize('encoding', ['mono16', '16UC1'])
def test_deep_grey_keeps_its_upper_byte_in_both_byte_orders(big, encoding):
    deep = np.array([[0, 255, 256], [0x1234, 0xFF00, 0xFFFF]], np.uint16)
    data = deep.astype('>u2' if big else '<u2').tobytes()
    image = decode_image(data, width=3, height=2, encoding=encoding, step=6, is_bigendian=big)
    np.testing.assert_array_equal(image[..., 1], [[0, 0, 1], [0x12, 0xFF, 0xFF]])


@pytest.mark.parametrize('pattern', ['rggb', 'bggr', 'gbrg', 'grbg'])
@pytest.mark.parametrize('colour', ['b', 'g', 'r'])
def test_bayer_patterns_give_the_colour_of_their_lit_sites(pattern, colour):
    cell = np.array([[255 if site == colour else 0 for site in pattern]], np.uint8).reshape(2, 2)
    mosaic = np.tile(cell, (4, 4))
    image = decode_image(mosaic, width=8, height=8, encoding=f'bayer_{pattern}8', step=8)
    expected = [255 if name == colour else 0 for name in 'bgr']
    assert image[3, 4].tolist() == expected


@pytest.mark.parametrize('encoding', ['yuv422', 'yuv422_yuy2', 'nv12', 'nv21'])
def test_yuv_gives_the_colour_it_was_made_from(encoding):
    bgr = np.full((4, 6, 3), (40, 90, 200), np.uint8)
    luma, v, u = (int(p) for p in cv2.cvtColor(bgr, cv2.COLOR_BGR2YCrCb)[0, 0])
    # OpenCV's YCrCb is full range; camera YUV is limited range
    luma = round(16 + luma * 219 / 255)
    u, v = (round(128 + (part - 128) * 224 / 255) for part in (u, v))
    if encoding in ('nv12', 'nv21'):
        pair = [u, v] if encoding == 'nv12' else [v, u]
        data = np.concatenate([np.full(24, luma), np.tile(pair, 6)]).astype(np.uint8)
        step = 6
    else:
        pair = [u, luma, v, luma] if encoding == 'yuv422' else [luma, u, luma, v]
        data, step = np.tile(pair, 12).astype(np.uint8), 12
    image = decode_image(data, width=6, height=4, encoding=encoding, step=step)
    assert image.shape == (4, 6, 3)
    assert np.abs(image.astype(int) - bgr).max() <= 6


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        ({'width': 0}, 'found 0x6'),
        ({'height': 0}, 'found 8x0'),
        ({'encoding': 'rgb10'}, "bgr8.*found 'rgb10'"),
        ({'step': 23}, 'at least 24 bytes, found step 23'),
        ({'height': 7}, 'at least 168 bytes of data, found 144'),
        ({'encoding': 'nv12', 'height': 3}, 'even width and height'),
        ({'encoding': 'yuv422', 'width': 7}, 'even width'),
    ],
)
def test_broken_messages_say_what_was_expected_and_found(picture, change, words):
    fields = {'width': 8, 'height': 6, 'encoding': 'bgr8', 'step': 24} | change
    with pytest.raises(ValueError, match=words):
        decode_image(picture.tobytes(), **fields)


@given(
    data=st.binary(max_size=200),
    width=st.integers(0, 12),
    height=st.integers(0, 12),
    encoding=st.sampled_from([*known_encodings(), 'x', '']),
    step=st.integers(0, 60),
    big=st.booleans(),
)
def test_any_message_decodes_or_raises_a_value_error(data, width, height, encoding, step, big):
    try:
        image = decode_image(
            data, width=width, height=height, encoding=encoding, step=step, is_bigendian=big
        )
    except ValueError:
        return
    assert image.shape == (height, width, 3)
    assert image.dtype == np.uint8
    image[0, 0] = 1  # its own memory, free to draw on


@pytest.mark.parametrize(
    ('suffix', 'image_format'),
    [('.png', 'png'), ('.png', 'rgb8; png compressed bgr8'), ('.jpg', 'jpeg'), ('.jpg', '')],
)
def test_compressed_pictures_come_back(suffix, image_format):
    smooth = np.full((32, 48, 3), (30, 120, 220), np.uint8)
    data = cv2.imencode(suffix, smooth)[1].tobytes()
    image = decode_compressed(data, image_format)
    assert image.shape == smooth.shape
    assert np.abs(image.astype(int) - smooth).max() <= (0 if suffix == '.png' else 3)


def test_compressed_deep_grey_keeps_its_upper_byte():
    deep = np.array([[0x1234, 0xFFFF]], np.uint16)
    image = decode_compressed(cv2.imencode('.png', deep)[1].tobytes(), '16UC1; png compressed')
    assert image.tolist() == [[[0x12] * 3, [0xFF] * 3]]


@pytest.mark.parametrize('suffix', ['.png', '.jpg'])
def test_truncated_compressed_pictures_are_refused(picture, suffix):
    data = cv2.imencode(suffix, np.tile(picture, (8, 8, 1)))[1].tobytes()
    with pytest.raises(ValueError, match='truncated'):
        decode_compressed(data[: len(data) // 2], 'jpeg' if suffix == '.jpg' else 'png')


@pytest.mark.parametrize(
    ('data', 'image_format', 'words'),
    [
        (b'', 'jpeg', 'found no data'),
        (b'not an image', 'jpeg', 'do not decode'),
        (b'\x00', 'h264', "found 'h264'"),
        (b'\x00', '32FC1; compressedDepth png', 'compressedDepth'),
    ],
)
def test_broken_compressed_pictures_are_named(data, image_format, words):
    with pytest.raises(ValueError, match=words):
        decode_compressed(data, image_format)
