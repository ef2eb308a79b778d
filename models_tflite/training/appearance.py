"""How a camera spoils a picture: light, colour, infrared-like grey, blur, noise, compression, low resolution.

Works on composed canvases (uint8 RGB), never moves a box. Mostly look-up tables, since augmentation shares the processor with training.
"""

import cv2
import numpy as np

GREY_CHANCE = 0.25
INFRARED_CHANCE = 0.4  # of the grey ones


def spoil(rng: np.random.Generator, pixels: np.ndarray) -> np.ndarray:
    """A picture [s, s, 3] as some camera might have delivered it."""
    grey = rng.random() < GREY_CHANCE
    if grey:
        pixels = to_grey(rng, pixels)
    elif rng.random() < 0.5:
        pixels = saturation(pixels, float(rng.uniform(0.3, 1.4)))
    if rng.random() < 0.8:
        pixels = tone(rng, pixels, tinted=not grey)
    if rng.random() < 0.15:
        pixels = vignette(rng, pixels)
    if rng.random() < 0.2:
        pixels = blur(rng, pixels)
    if rng.random() < 0.15:
        pixels = low_resolution(rng, pixels)
    if rng.random() < 0.25:
        pixels = noise(rng, pixels)
    if rng.random() < 0.35:
        pixels = compress(pixels, int(rng.integers(18, 80)))
    return pixels


def to_grey(rng: np.random.Generator, pixels: np.ndarray) -> np.ndarray:
    """Grey by random channel weights; infrared-like: red weighs most, cloth turns bright, contrast falls."""
    if rng.random() < INFRARED_CHANCE:
        weights = np.array([0.8, 0.25, -0.05]) + rng.normal(0, 0.1, 3)
        table = (255 * (np.arange(256) / 255) ** float(rng.uniform(0.5, 0.9)) * float(rng.uniform(0.6, 0.95)) + 25).clip(0, 255)
    else:
        weights = rng.dirichlet((3, 4, 2))
        table = np.arange(256)
    grey = cv2.transform(pixels, weights.reshape(1, 3).astype(np.float32) / max(float(weights.sum()), 0.5))
    return cv2.cvtColor(cv2.LUT(grey, table.astype(np.uint8)), cv2.COLOR_GRAY2RGB)


def saturation(pixels: np.ndarray, factor: float) -> np.ndarray:
    """Colours drawn towards grey (factor below one) or away from it."""
    luma = np.array([0.3, 0.59, 0.11])
    matrix = factor * np.eye(3) + (1 - factor) * np.tile(luma, (3, 1))
    return cv2.transform(pixels, matrix.astype(np.float32))


def tone(rng: np.random.Generator, pixels: np.ndarray, *, tinted: bool) -> np.ndarray:
    """Gamma, contrast and brightness, different by channel when tinted; one time in eight a dark room."""
    dark = rng.random() < 0.12
    gamma = float(np.exp(rng.normal(0.5 if dark else 0, 0.28)))
    contrast = float(rng.uniform(0.25, 0.5) if dark else rng.uniform(0.65, 1.3))
    middle = float(rng.uniform(20, 60) if dark else 128 + rng.normal(0, 22))
    ramp = (np.arange(256) / 255.0) ** gamma * 255
    gains = np.exp(rng.normal(0, 0.09, 3)) if tinted else np.ones(3)
    tables = [((ramp - 128) * contrast + middle) * gain for gain in gains]
    return cv2.LUT(pixels, np.clip(np.stack(tables, axis=-1), 0, 255).astype(np.uint8).reshape(256, 1, 3))


def vignette(rng: np.random.Generator, pixels: np.ndarray) -> np.ndarray:
    """Darker towards the corners, around an off-centre lamp."""
    size = pixels.shape[0]
    axis = np.linspace(-1, 1, size, dtype=np.float32)
    far = (axis - rng.uniform(-0.4, 0.4))[:, None] ** 2 + (axis - rng.uniform(-0.4, 0.4))[None] ** 2
    light = 1 - far * np.float32(rng.uniform(0.15, 0.45))
    return (pixels * np.clip(light, 0.1, 1)[..., None]).astype(np.uint8)


def blur(rng: np.random.Generator, pixels: np.ndarray) -> np.ndarray:
    """Out of focus, or moved along one direction."""
    if rng.random() < 0.5:
        return cv2.GaussianBlur(pixels, (0, 0), float(rng.uniform(0.5, 1.6)))
    length = int(rng.integers(3, 8))
    kernel = np.zeros((length, length), np.float32)
    angle = rng.uniform(0, np.pi)
    for step in np.linspace(-(length - 1) / 2, (length - 1) / 2, 2 * length):
        kernel[round((length - 1) / 2 + step * np.sin(angle)), round((length - 1) / 2 + step * np.cos(angle))] = 1
    return cv2.filter2D(pixels, -1, kernel / kernel.sum())


def low_resolution(rng: np.random.Generator, pixels: np.ndarray) -> np.ndarray:
    """As if enlarged from a smaller sensor."""
    size = pixels.shape[0]
    small = max(32, int(size * rng.uniform(0.45, 0.8)))
    return cv2.resize(cv2.resize(pixels, (small, small), interpolation=cv2.INTER_AREA), (size, size), interpolation=cv2.INTER_LINEAR)


def noise(rng: np.random.Generator, pixels: np.ndarray) -> np.ndarray:
    """Sensor noise, alike in all channels one time in two."""
    channels = 1 if rng.random() < 0.5 else 3
    sigma = float(rng.uniform(2, 14))
    grain = rng.standard_normal((*pixels.shape[:2], channels), dtype=np.float32) * sigma
    return np.clip(pixels + grain, 0, 255).astype(np.uint8)


def compress(pixels: np.ndarray, quality: int) -> np.ndarray:
    """JPEG there and back."""
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(data, cv2.IMREAD_COLOR)
