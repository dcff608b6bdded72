# SPDX-License-Identifier: Apache-2.0
"""Data sets in memory-mapped arrays, and batches of augmented pictures out of them.

A data set is a folder of images/*.jpg, labels/*.txt (class cx cy w h, parts of the picture) and
ignore/*.txt (cx cy w h: neither object nor background).
"""

import dataclasses
import hashlib
import json
import pathlib
import time

import cv2
import numpy as np
import torch

from model import CLASSES

# The network's input in service, and the gray that the letterbox leaves around a picture.
SERVED_WIDTH, SERVED_HEIGHT = 640, 384
BORDER = 3
GRAY = 114

# Pictures are kept in two sizes, so that shrinking never skips more than every second pixel.
LEVELS = ((640, 384), (320, 192))

# Objects that get smaller than this are neither learnt nor punished, pixels.
SMALLEST_SIDE = 2.5
SMALLEST_LENGTH = 6.0

# Of an object's box, what must stay in the canvas to be learnt, and to be ignored.
VISIBLE, HINTED = 0.5, 0.1


def served_gain(width, height):
    """By how much the letterbox scales a picture of that size."""
    return min((SERVED_WIDTH - 2 * BORDER) / width, (SERVED_HEIGHT - 2 * BORDER) / height)


class Pictures:
    """Data sets as arrays: pixels of each level, boxes as parts of the picture."""

    def __init__(self, folders, work):
        self.parts = [_cached(pathlib.Path(folder), pathlib.Path(work)) for folder in folders]
        self.folders = [str(folder) for folder in folders]
        self.index = [(p, i) for p, part in enumerate(self.parts) for i in range(len(part.sizes))]

    def __len__(self):
        return len(self.index)

    def size(self, i):
        """Width and height of the file's picture."""
        part, row = self.index[i]
        return self.parts[part].sizes[row]

    def pixels(self, i, level):
        """RGB, without the padding that makes rows of one array of all."""
        part, row = self.index[i]
        width, height = self.parts[part].level_sizes[level][row]
        return self.parts[part].levels[level][row, :height, :width]

    def truth(self, i):
        """[n, 5] of class and corners, and [k, 4] corners to ignore, 0..1."""
        part, row = self.index[i]
        return self.parts[part].truth[row], self.parts[part].ignore[row]


@dataclasses.dataclass
class _Part:
    sizes: np.ndarray
    levels: list
    level_sizes: list
    truth: list
    ignore: list


def _cached(folder, work):
    files = sorted((folder / "images").glob("*.jpg"))
    if not files:
        raise SystemExit(f"{folder}: no images/*.jpg in it; expected a data set folder")
    stamp = [(f.name, f.stat().st_size, f.stat().st_mtime_ns) for f in files]
    name = hashlib.sha256(json.dumps([str(folder.resolve()), LEVELS, stamp]).encode()).hexdigest()
    cache = work / "cache" / name[:16]
    if not (cache / "sizes.npy").exists():
        _decode(files, cache)
    sizes = np.load(cache / "sizes.npy")
    levels = [np.load(cache / f"level{n}.npy", mmap_mode="r") for n in range(len(LEVELS))]
    level_sizes = [np.array([_fit(s, level) for s in sizes]) for level in LEVELS]
    truth = [_boxes(folder / "labels" / f"{f.stem}.txt", 5) for f in files]
    ignore = [_boxes(folder / "ignore" / f"{f.stem}.txt", 4) for f in files]
    return _Part(sizes, levels, level_sizes, truth, ignore)


def _fit(size, level):
    gain = min(level[0] / size[0], level[1] / size[1])
    return max(1, round(size[0] * gain)), max(1, round(size[1] * gain))


def _decode(files, cache):
    cache.mkdir(parents=True, exist_ok=True)
    start = time.time()
    shapes = [(len(files), h, w, 3) for w, h in LEVELS]
    arrays = [
        np.lib.format.open_memmap(cache / f"level{n}.npy", "w+", np.uint8, shape)
        for n, shape in enumerate(shapes)
    ]
    sizes = np.zeros((len(files), 2), np.int32)
    for row, file in enumerate(files):
        picture = cv2.imread(str(file), cv2.IMREAD_COLOR)
        if picture is None:
            raise SystemExit(f"{file}: cannot be read as a picture")
        sizes[row] = picture.shape[1], picture.shape[0]
        picture = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
        for level, array in zip(LEVELS, arrays):
            width, height = _fit(sizes[row], level)
            shrinks = width < picture.shape[1]
            how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
            picture = cv2.resize(picture, (width, height), interpolation=how)
            array[row] = GRAY
            array[row, :height, :width] = picture
    for array in arrays:
        array.flush()
    # Last, since it says that the others are whole.
    np.save(cache / "sizes.partial.npy", sizes)
    (cache / "sizes.partial.npy").rename(cache / "sizes.npy")
    print(f"cached {len(files)} pictures in {time.time() - start:.0f} s", flush=True)


def _boxes(file, columns):
    if not file.exists() or not file.stat().st_size:
        return np.zeros((0, columns), np.float32)
    rows = np.array([line.split() for line in file.read_text().splitlines() if line.strip()])
    rows = rows.astype(np.float32).reshape(-1, columns)
    rows[:, -4:-2] -= rows[:, -2:] / 2
    rows[:, -2:] += rows[:, -4:-2]
    return rows


@dataclasses.dataclass
class Settings:
    """How canvases are filled; zooms are relative to the scale in service."""

    width: int
    height: int
    mosaic: bool
    smallest_zoom: float
    largest_zoom: float

    @staticmethod
    def of(width, height, mosaic):
        if mosaic:
            return Settings(width, height, True, 0.35, 1.6)
        fitting = width / SERVED_WIDTH
        return Settings(width, height, False, fitting * 0.75, fitting * 1.7)


class Augmenter:
    """Makes one canvas after the other; equal seeds give equal canvases."""

    def __init__(self, pictures, crops, settings, weights, seed):
        self.pictures, self.crops, self.settings = pictures, crops, settings
        self.random = np.random.default_rng(seed)
        self.chances = np.cumsum(weights) / np.sum(weights)
        self.noise = self.random.normal(0, 1, (600, 900, 3)).astype(np.float32)
        counts = np.ones(len(CLASSES))
        for part in pictures.parts:
            for truth in part.truth:
                counts += np.bincount(truth[:, 0].astype(int), minlength=len(CLASSES))
        self.rarity = 1 / np.sqrt(counts)

    def canvas(self):
        """RGB [H, W, 3] uint8, truth [n, 5] of class and corners, ignore [k, 4], in pixels."""
        s = self.settings
        if s.mosaic:
            cut_x = int(s.width * self.random.uniform(0.3, 0.7))
            cut_y = int(s.height * self.random.uniform(0.3, 0.7))
            xs, ys = (0, cut_x, s.width), (0, cut_y, s.height)
            tiles = [(xs[i], ys[j], xs[i + 1], ys[j + 1]) for i in (0, 1) for j in (0, 1)]
        else:
            tiles = [(0, 0, s.width, s.height)]
        image = np.empty((s.height, s.width, 3), np.uint8)
        truth, ignore = [], []
        for tile in tiles:
            boxes, regions = self._fill(image, tile)
            truth.append(boxes)
            ignore.append(regions)
        truth, ignore = np.concatenate(truth), np.concatenate(ignore)
        if self.crops and self.random.random() < 0.35:
            truth, ignore = self._paste(image, truth, ignore)
        return self._photometric(image, truth), truth, ignore

    def _fill(self, image, tile):
        """Draws a picture into a tile; its truth and ignored regions in the canvas."""
        s, random = self.settings, self.random
        i = int(np.searchsorted(self.chances, random.random(), side="right"))
        i = min(i, len(self.pictures) - 1)
        truth, ignore = self.pictures.truth(i)
        full_width, full_height = self.pictures.size(i)
        zoom = np.exp(random.uniform(np.log(s.smallest_zoom), np.log(s.largest_zoom)))
        if not s.mosaic and random.random() < 0.3:
            zoom = s.width / SERVED_WIDTH
        wanted = served_gain(full_width, full_height) * zoom
        level = 1 if wanted * full_width <= self.pictures.pixels(i, 1).shape[1] else 0
        pixels = self.pictures.pixels(i, level)
        height, width = pixels.shape[:2]
        gain = wanted * full_width / width

        x1, y1, x2, y2 = tile
        tile_width, tile_height = x2 - x1, y2 - y1
        flip = random.random() < 0.5
        focus = None
        if len(truth) and random.random() < (0.7 if s.mosaic else 0.5):
            chances = self.rarity[truth[:, 0].astype(int)]
            box = truth[random.choice(len(truth), p=chances / chances.sum()), 1:]
            focus = (box[:2] + box[2:]) / 2 * (width, height) * gain
            if flip:
                focus[0] = width * gain - focus[0]
        dx = _offset(random, width * gain, tile_width, focus[0] if focus is not None else None)
        dy = _offset(random, height * gain, tile_height, focus[1] if focus is not None else None)

        # Pixel centres lie at halves.
        a, b = (-gain, dx + width * gain) if flip else (gain, dx)
        matrix = np.array([[a, 0, b + 0.5 * a - 0.5], [0, gain, dy + 0.5 * gain - 0.5]])
        image[y1:y2, x1:x2] = cv2.warpAffine(
            pixels,
            matrix,
            (tile_width, tile_height),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(GRAY, GRAY, GRAY),
        )

        def moved(boxes):
            boxes = boxes * np.array([width, height, width, height], np.float32)
            boxes = boxes * np.array([a, gain, a, gain]) + np.array([b, dy, b, dy])
            return boxes[:, [2, 1, 0, 3]] if flip else boxes

        boxes, kept, regions = _clipped(moved(truth[:, 1:]), tile_width, tile_height)
        _, _, old = _clipped(moved(ignore), tile_width, tile_height, learnt=False)
        shift = np.array([x1, y1, x1, y1])
        truth = np.concatenate([truth[kept, :1], boxes + shift], 1)
        return truth, np.concatenate([regions, old]) + shift

    def _paste(self, image, truth, ignore):
        """Real objects cut out of clips, at random places; what they hide is ignored."""
        random = self.random
        height, width = image.shape[:2]
        for _ in range(random.integers(1, 4)):
            kind, crop, inner = self.crops[random.integers(len(self.crops))]
            x1, y1, x2, y2 = inner
            size = np.exp(random.uniform(np.log(14), np.log(height * 0.9)))
            if CLASSES[kind] != "person":
                size *= 0.6
            gain = size / (y2 - y1)
            wide, high = int(crop.shape[1] * gain), int(crop.shape[0] * gain)
            if wide < 4 or high < 4 or gain > 1.6:
                continue
            crop = cv2.resize(crop, (wide, high), interpolation=cv2.INTER_AREA)
            x1, y1, x2, y2 = x1 * gain, y1 * gain, x2 * gain, y2 * gain
            if random.random() < 0.5:
                crop, x1, x2 = crop[:, ::-1], wide - x2, wide - x1
            left = int(random.uniform(-0.3 * wide, width - 0.7 * wide))
            top = int(random.uniform(-0.3 * high, height - 0.7 * high))
            box = np.array([[x1 + left, y1 + top, x2 + left, y2 + top]])
            seen, kept, regions = _clipped(box, width, height)
            if not len(kept):
                continue
            hidden = _part_within(truth[:, 1:], seen[0])
            if (hidden > 0.6).sum() > 1:
                continue
            a, b = max(left, 0), max(top, 0)
            c, d = min(left + wide, width), min(top + high, height)
            piece = crop[b - top : d - top, a - left : c - left].astype(np.float32)
            mask = piece[..., 3:] / 255
            light = random.uniform(0.75, 1.25)
            under = image[b:d, a:c]
            mixed = under + (np.minimum(piece[..., :3] * light, 255) - under) * mask
            image[b:d, a:c] = mixed.astype(np.uint8)
            ignore = np.concatenate([ignore, truth[hidden > 0.6, 1:], regions])
            row = np.concatenate([[kind], seen[0]])[None]
            truth = np.concatenate([truth[hidden <= 0.6], row])
        return truth, ignore

    def _photometric(self, image, truth):
        random = self.random
        gains = random.uniform(-1, 1, 3) * (0.015, 0.7, 0.4) + 1
        hue, saturation, value = cv2.split(cv2.cvtColor(image, cv2.COLOR_RGB2HSV))
        ramp = np.arange(256)
        hue = cv2.LUT(hue, (ramp * gains[0] % 180).astype(np.uint8))
        saturation = cv2.LUT(saturation, np.clip(ramp * gains[1], 0, 255).astype(np.uint8))
        value = cv2.LUT(value, np.clip(ramp * gains[2], 0, 255).astype(np.uint8))
        image = cv2.cvtColor(cv2.merge([hue, saturation, value]), cv2.COLOR_HSV2RGB)
        if random.random() < 0.06:
            gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
            image = cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB)
        if random.random() < 0.12:
            image = self._blurred(image)
        if random.random() < 0.15:
            top, left = random.integers(600 - image.shape[0]), random.integers(
                900 - image.shape[1]
            )
            noise = self.noise[top : top + image.shape[0], left : left + image.shape[1]]
            noisy = image + noise * random.uniform(2, 14)
            image = np.clip(noisy, 0, 255).astype(np.uint8)
        if random.random() < 0.15:
            quality = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(25, 80))]
            image = cv2.imdecode(cv2.imencode(".jpg", image, quality)[1], cv2.IMREAD_COLOR)
        if random.random() < 0.15:
            self._cut_out(image, truth)
        return image

    def _blurred(self, image):
        kind = self.random.integers(3)
        if kind == 0:
            return cv2.GaussianBlur(image, (0, 0), self.random.uniform(0.5, 1.6))
        if kind == 1:
            length = int(self.random.integers(3, 8))
            kernel = np.zeros((length, length), np.float32)
            kernel[length // 2] = 1 / length
            return cv2.filter2D(image, -1, kernel if self.random.random() < 0.7 else kernel.T)
        height, width = image.shape[:2]
        part = self.random.uniform(0.5, 0.8)
        small = cv2.resize(image, (int(width * part), int(height * part)))
        return cv2.resize(small, (width, height))

    def _cut_out(self, image, truth):
        """Hides up to 40% of a side of some objects under a plain patch."""
        for row in truth[self.random.random(len(truth)) < 0.3]:
            x1, y1, x2, y2 = row[1:]
            wide, high = (x2 - x1) * self.random.uniform(0.2, 0.6), (
                y2 - y1
            ) * self.random.uniform(0.2, 0.4)
            left = int(self.random.uniform(x1, x2 - wide))
            top = int(self.random.uniform(y1, y2 - high))
            color = self.random.integers(0, 255, 3)
            image[top : top + int(high), left : left + int(wide)] = color


def _offset(random, size, room, focus):
    """Where a picture of that size begins in that room; a focus, where given, shall be seen."""
    slack = room - size
    low, high = min(slack, 0) - 0.1 * room, max(slack, 0) + 0.1 * room
    if focus is not None:
        return min(max(random.uniform(0.2, 0.8) * room - focus, low), high)
    return random.uniform(low, high)


def _clipped(boxes, width, height, learnt=True):
    """What is seen of boxes: those to learn, their indices, and those to ignore."""
    limits = np.array([width, height, width, height])
    seen = np.clip(boxes, 0, limits)
    size, full = seen[:, 2:] - seen[:, :2], boxes[:, 2:] - boxes[:, :2]
    visible = size.prod(1) / np.maximum(full.prod(1), 1e-6)
    large = (size.min(1) >= SMALLEST_SIDE) & (size.max(1) >= SMALLEST_LENGTH)
    good = (visible >= VISIBLE) & large if learnt else np.zeros(len(boxes), bool)
    hinted = ~good & (size.min(1) > 0.5) & ((visible >= HINTED) | (not learnt))
    return seen[good], np.flatnonzero(good), seen[hinted]


def _part_within(boxes, cover):
    low = np.maximum(boxes[:, :2], cover[:2])
    high = np.minimum(boxes[:, 2:], cover[2:])
    shared = np.clip(high - low, 0, None).prod(1)
    return shared / np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(1), 1e-6)


def read_crops(folder):
    """Of crops.json: class, RGBA, and the object's box in it."""
    if folder is None:
        return []
    folder = pathlib.Path(folder)
    crops = []
    for row in json.loads((folder / "crops.json").read_text()):
        crop = cv2.imread(str(folder / row["file"]), cv2.IMREAD_UNCHANGED)
        crop = cv2.cvtColor(crop, cv2.COLOR_BGRA2RGBA)
        crops.append((CLASSES.index(row["class"]), crop, np.array(row["box"], float)))
    return crops


def batch_of(augmenter, count):
    """Pixels [B, H, W, 3] uint8, truth [M, 6] and ignore [K, 5] by picture."""
    images, truths, ignores = [], [], []
    for b in range(count):
        image, truth, ignore = augmenter.canvas()
        images.append(image)
        truths.append(np.insert(truth, 0, b, 1))
        ignores.append(np.insert(ignore, 0, b, 1))
    return (
        torch.from_numpy(np.stack(images)),
        torch.from_numpy(np.concatenate(truths)).float(),
        torch.from_numpy(np.concatenate(ignores)).float(),
    )


def letterboxed(picture, width, height):
    """A whole picture as it is served: RGB canvas, and its width, height, left, top in that."""
    high, wide = picture.shape[:2]
    gain = min((width - 2 * BORDER) / wide, (height - 2 * BORDER) / high)
    size = int(wide * gain), int(high * gain)
    how = cv2.INTER_AREA if gain < 1 else cv2.INTER_LINEAR
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    canvas = np.full((height, width, 3), GRAY, np.uint8)
    canvas[top : top + size[1], left : left + size[0]] = cv2.resize(
        picture, size, interpolation=how
    )
    return canvas, *size, left, top
