# SPDX-License-Identifier: Apache-2.0
"""Run in models/training: python3 -m unittest"""

import json
import math
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import cv2
import numpy as np
import torch
from torch.nn import functional

from assigner import ALPHA, BETA, TOP_K, assign
from boxes import boxes_of, cells, iou_of, points
from data import Augmenter, Pictures, Settings, letterboxed
from evaluate import average_precisions, suppressed
from export import Cells, Decoded, Flattened, export
from losses import detection_loss, ignored_points, siou_loss, varifocal_loss
from model import BLOCKS, Detector, Doubled, QaRepVgg, RepVgg
from pseudo_label import agreed


def randomise(module):
    """Weights and statistics under which a wrong fusion shows."""
    for part in module.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.3)
            part.running_var.uniform_(0.5, 2)
            torch.nn.init.uniform_(part.weight, 0.5, 1.5)
            torch.nn.init.normal_(part.bias, 0, 0.3)


class Blocks(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(1)

    def test_fused_kernels_give_what_the_branches_give(self):
        x = torch.randn(2, 8, 9, 11)
        for kind in (RepVgg, QaRepVgg):
            for cout, stride in ((8, 1), (8, 2), (12, 1)):
                block = kind(8, cout, stride).eval()
                randomise(block)
                kernel, bias = block.fused()
                fused = functional.relu(functional.conv2d(x, kernel, bias, stride, 1))
                self.assertTrue(torch.allclose(fused, block(x), atol=1e-4), (kind, cout, stride))

    def test_training_form_of_qarepvgg_is_the_same_sum(self):
        block = QaRepVgg(8, 8).train()
        x = torch.randn(4, 8, 6, 6)
        fast = block(x)
        slow = functional.relu(block.bn(block.dense_bn(block.dense(x)) + block.pointwise(x) + x))
        self.assertTrue(torch.allclose(fast, slow, atol=1e-5))

    def test_doubling_as_a_pointwise_convolution_is_the_transposed_one(self):
        layer, x = Doubled(6), torch.randn(2, 6, 3, 5)
        self.assertTrue(torch.allclose(layer.train()(x), layer.eval()(x), atol=1e-5))

    def test_sizes_are_those_of_the_published_network(self):
        for form in BLOCKS:
            model = Detector(form, classes=80)
            fused = 0
            for part in model.modules():
                if isinstance(part, (RepVgg, QaRepVgg)):
                    fused -= sum(p.numel() for p in part.parameters())
                    fused += part.dense.weight.numel() + part.dense.out_channels
            total = sum(p.numel() for p in model.parameters()) + fused
            # A plain BatchNorm has one value a channel more than the bias it becomes.
            self.assertAlmostEqual(total / 1e6, 4.32, delta=0.02)

    def test_decoded_output_is_that_of_training(self):
        model = Detector("plain").eval()
        randomise(model)
        for head in model.heads:
            torch.nn.init.normal_(head.reg_pred.weight, std=0.02)
        decoded = Decoded(model)
        for count, width, height in ((1, 96, 64), (2, 64, 64), (1, 64, 96), (1, 128, 32)):
            images = torch.rand(count, 3, height, width)
            rows = decoded(images)
            logits, distances = model(images)
            boxes = boxes_of(distances, *points(height, width))
            centre, size = rows[..., :2], rows[..., 2:4]
            corners = torch.cat([centre - size / 2, centre + size / 2], 2)
            self.assertEqual(rows.shape, (count, width * height * 21 // 1024, 11))
            self.assertTrue(torch.allclose(corners, boxes, atol=1e-2))
            self.assertTrue(torch.allclose(rows[..., 5:], logits.sigmoid(), atol=1e-5))
            self.assertTrue((rows[..., 4] == 1).all())


class Operators:
    """Stands where the exporter builds a graph, and computes what its operators would."""

    @staticmethod
    def op(name, *inputs, **attributes):
        if name == "Constant":
            return attributes["value_t"]
        if name == "Shape":
            return torch.tensor(inputs[0].shape)
        if name == "Gather":
            indices = inputs[1]
            taken = inputs[0].index_select(attributes.get("axis_i", 0), indices.reshape(-1))
            return taken.squeeze(attributes.get("axis_i", 0)) if indices.ndim == 0 else taken
        if name == "Range":
            return torch.arange(*(int(value) for value in inputs))
        if name == "Reshape":
            dims = [int(d) or inputs[0].shape[axis] for axis, d in enumerate(inputs[1])]
            return inputs[0].reshape(dims)
        if name == "Cast":
            return inputs[0].float()
        if name == "Concat":
            return torch.cat(inputs, attributes["axis_i"])
        return {
            "Add": torch.add,
            "Expand": lambda value, dims: value.expand(dims.tolist()),
        }[name](*inputs)


class Export(unittest.TestCase):
    def test_operators_of_the_file_compute_what_was_learnt_with_at_every_size(self):
        for count, height, width in ((1, 12, 20), (3, 20, 20), (2, 20, 12), (1, 13, 13)):
            maps = torch.rand(count, 4, height, width)
            places = Cells.symbolic(Operators, maps, 16)
            self.assertTrue(torch.equal(places, Cells.apply(maps, 16)))
            self.assertTrue(torch.equal(places[0], torch.cat(cells(height, width, 16), 1)))
            self.assertTrue(torch.equal(Flattened.symbolic(Operators, maps), maps.flatten(2)))

    def test_file_leaves_its_sizes_open_and_says_which_is_the_usual_one(self):
        with tempfile.TemporaryDirectory() as name:
            file = pathlib.Path(name) / "detector.onnx"
            export(Detector("plain", 0.0625).eval(), file, 96, 64, "a test")
            onnx = file.read_bytes()
            for symbol in (b"batch", b"height", b"width", b"anchors"):
                self.assertIn(symbol, onnx)
            spec = json.loads(file.with_suffix(".json").read_text())
            self.assertEqual((spec["input_width"], spec["input_height"]), (96, 64))


class Overlaps(unittest.TestCase):
    def test_iou_by_hand(self):
        a = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 10], [0, 0, 4, 4]])
        b = torch.tensor([[5.0, 0, 15, 10], [0, 0, 10, 10], [8, 8, 9, 9]])
        self.assertTrue(torch.allclose(iou_of(a, b), torch.tensor([50 / 150, 1.0, 0.0])))

    def test_siou_is_nothing_for_equal_boxes(self):
        box = torch.tensor([[3.0, 4, 20, 30]])
        self.assertAlmostEqual(float(siou_loss(box, box)), 0, places=5)

    def test_siou_by_hand_along_an_axis(self):
        # Shift (5, 0), hull 15x10, no angle cost: gamma is 2 and rho (5 / 15)^2.
        a, b = torch.tensor([[0.0, 0, 10, 10]]), torch.tensor([[5.0, 0, 15, 10]])
        distance = 1 - math.exp(-2 / 9)
        self.assertAlmostEqual(float(siou_loss(a, b)), 1 - 1 / 3 + distance / 2, places=5)

    def test_siou_by_hand_on_the_diagonal_and_of_another_size(self):
        # Shift (5, 5): full angle cost, gamma 1. Sizes 10 and 20: omega 1/2 each.
        a, b = torch.tensor([[0.0, 0, 10, 10]]), torch.tensor([[0.0, 0, 20, 20]])
        distance = 2 * (1 - math.exp(-((5 / 20) ** 2)))
        shape = 2 * (1 - math.exp(-0.5)) ** 4
        expected = 1 - 100 / 400 + (distance + shape) / 2
        self.assertAlmostEqual(float(siou_loss(a, b)), expected, places=4)

    def test_siou_has_finite_gradients_everywhere(self):
        a = torch.tensor([[0.0, 0, 10, 10], [5, 5, 4, 4], [0, 0, 0, 0]], requires_grad=True)
        b = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 10], [1, 1, 1, 1]])
        siou_loss(a, b).sum().backward()
        self.assertTrue(torch.isfinite(a.grad).all())


class Assignment(unittest.TestCase):
    @staticmethod
    def brute(scores, boxes, centres, truth):
        """Object by object and point by point; {(picture, point): (object, target)}."""
        wanted = {}
        for m, row in enumerate(truth.tolist()):
            b, kind, x1, y1, x2, y2 = int(row[0]), int(row[1]), *row[2:]
            pairs = []
            for a, (x, y) in enumerate(centres.tolist()):
                reach_x, reach_y = max((x2 - x1) / 2, 4), max((y2 - y1) / 2, 4)
                if abs(x - (x1 + x2) / 2) >= reach_x or abs(y - (y1 + y2) / 2) >= reach_y:
                    continue
                iou = float(iou_of(boxes[b, a][None], truth[m, 2:][None]))
                metric = float(scores[b, a, kind]) ** ALPHA * iou**BETA
                if metric > 0:
                    pairs.append((metric, a, iou))
            pairs.sort(key=lambda pair: -pair[0])
            for metric, a, iou in pairs[:TOP_K]:
                if (b, a) not in wanted or iou > wanted[b, a][2]:
                    wanted[b, a] = (m, metric, iou)
        result = {}
        for key, (m, metric, _) in wanted.items():
            own = [value for value in wanted.values() if value[0] == m]
            best, iou = max(v[1] for v in own), max(v[2] for v in own)
            result[key] = (m, metric / best * iou)
        return result

    def test_agrees_with_brute_force(self):
        for seed in range(5):
            torch.manual_seed(seed)
            centres, strides = points(64, 96)
            scores = torch.rand(2, len(centres), 3)
            boxes = boxes_of(torch.rand(2, len(centres), 4) * 3, centres, strides)
            corner = torch.rand(14, 2) * torch.tensor([70.0, 40.0])
            size = torch.rand(14, 2) * 40 + 2
            head = torch.stack([torch.randint(2, (14,)), torch.randint(3, (14,))], 1)
            truth = torch.cat([head.float(), corner, corner + size], 1)
            at, which, target = assign(scores, boxes, centres, truth)
            expected = self.brute(scores, boxes, centres, truth)
            found = {
                (int(a) // len(centres), int(a) % len(centres)): (int(m), float(t))
                for a, m, t in zip(at, which, target)
            }
            self.assertEqual(found.keys(), expected.keys())
            for key, (m, value) in expected.items():
                self.assertEqual(found[key][0], m)
                self.assertAlmostEqual(found[key][1], value, places=4)

    def test_nothing_to_find_is_fine(self):
        centres, strides = points(64, 64)
        logits = torch.zeros(2, len(centres), 6, requires_grad=True)
        distances = torch.ones(2, len(centres), 4, requires_grad=True)
        loss = detection_loss(
            logits, distances, centres, strides, torch.zeros(0, 6), torch.zeros(0, 5)
        )[0]
        loss.backward()
        self.assertTrue(torch.isfinite(loss))
        self.assertGreater(float(logits.grad.abs().sum()), 0)

    def test_ignored_regions_push_nothing_down(self):
        centres, strides = points(64, 64)
        logits = torch.zeros(1, len(centres), 6, requires_grad=True)
        distances = torch.ones(1, len(centres), 4)
        ignore = torch.tensor([[0.0, 0, 0, 64, 64]])
        loss = detection_loss(logits, distances, centres, strides, torch.zeros(0, 6), ignore)[0]
        self.assertEqual(float(loss), 0)
        half = ignored_points(centres, torch.tensor([[0.0, 0, 0, 32, 64]]), 1)
        self.assertEqual(int(half.sum()) * 2, len(centres))

    def test_varifocal_loss_by_hand(self):
        logits = torch.tensor([[0.0, math.log(3)]])
        targets = torch.tensor([[0.8, 0.0]])
        positive = 0.8 * math.log(2)
        negative = 0.75 * 0.75**2 * math.log(4)
        loss = varifocal_loss(logits, targets, torch.ones(1, 1))
        self.assertAlmostEqual(float(loss), positive + negative, places=5)


class Evaluation(unittest.TestCase):
    def test_precision_by_hand(self):
        truth = np.array([[0.0, 0, 0, 10, 10], [0, 50, 50, 60, 60]])
        hit, miss = [0, 0.9, 0, 0, 10, 10], [0, 0.8, 100, 100, 110, 110]
        none = np.zeros((0, 4))
        found = np.array([hit, miss, [0, 0.7, 50, 50, 60, 60]])
        # Recall 0.5 at precision 1, recall 1 at precision 2/3.
        expected = (51 * 1 + 50 * 2 / 3) / 101
        self.assertAlmostEqual(average_precisions([found], [truth], [none], 2)[0], expected)
        ignored = np.array([[95.0, 95, 115, 115]])
        self.assertAlmostEqual(average_precisions([found], [truth], [ignored], 2)[0], 1)
        self.assertTrue(np.isnan(average_precisions([found], [truth], [none], 2)[1]))

    def test_suppression_keeps_the_best_of_what_overlaps(self):
        boxes = np.array([[0.0, 0, 10, 10], [1, 0, 11, 10], [20, 20, 30, 30]])
        self.assertEqual(suppressed(boxes, np.array([0.5, 0.9, 0.3])), [1, 2])

    def test_letterbox_is_that_of_service(self):
        canvas, *place = letterboxed(np.zeros((720, 1280, 3), np.uint8), 640, 384)
        self.assertEqual(place, [634, 356, 3, 14])
        self.assertEqual(canvas[0, 0].tolist(), [114] * 3)

    def test_teachers_have_to_agree(self):
        one = np.array([[0, 0.9, 0, 0, 10, 20], [2, 0.9, 50, 50, 60, 60]])
        two = np.array([[0, 0.7, 0, 0, 10, 21]])
        objects, uncertain = agreed([one, two, np.zeros((0, 6))])
        self.assertEqual(objects[:, 0].tolist(), [0])
        self.assertTrue(20 < objects[0, 4] < 21)
        self.assertEqual(uncertain.tolist(), [[50, 50, 60, 60]])


class Learning(unittest.TestCase):
    def test_boxes_stay_on_their_objects(self):
        """Objects are pure red on black: what the canvas shows must lie where truth says."""
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "images").mkdir()
            (folder / "labels").mkdir()
            for i in range(4):
                picture = np.zeros((360, 640, 3), np.uint8)
                x, y = 40 + 130 * i, 50 + 60 * i
                picture[y : y + 60, x : x + 90] = (0, 0, 255)
                cv2.imwrite(str(folder / "images" / f"{i}.jpg"), picture)
                row = (2, (x + 45) / 640, (y + 30) / 360, 90 / 640, 60 / 360)
                (folder / "labels" / f"{i}.txt").write_text(" ".join(map(str, row)))
            pictures = Pictures([folder], folder / "work")
            for mosaic in (True, False):
                settings = Settings.of(384, 224, mosaic)
                augmenter = Augmenter(pictures, [], settings, np.ones(4), 5)
                augmenter._photometric = lambda image, truth: image
                seen = 0
                for _ in range(30):
                    image, truth, ignore = augmenter.canvas()
                    red = (image[..., 0] > 130) & (image[..., 1] < 60)
                    for box in list(truth[:, 1:]) + list(ignore):
                        x1, y1, x2, y2 = (int(round(v)) for v in box)
                        if min(x2 - x1, y2 - y1) > 8:
                            self.assertGreater(red[y1:y2, x1:x2].mean(), 0.85)
                            seen += 1
                        red[max(y1 - 2, 0) : y2 + 2, max(x1 - 2, 0) : x2 + 2] = False
                    # Less than a tenth of an object is no hint of it.
                    self.assertLess(red.sum(), 650)
                self.assertGreater(seen, 10)

    def test_one_batch_is_learnt_by_heart(self):
        torch.manual_seed(3)
        random = np.random.default_rng(3)
        images, truth = np.zeros((4, 3, 96, 96), np.float32), []
        for b in range(4):
            kind = int(random.integers(6))
            x, y = random.integers(0, 48, 2)
            images[b, kind % 3, y : y + 36, x : x + 36] = 1 if kind < 3 else 0.5
            truth.append([b, kind, x, y, x + 36, y + 36])
        images, truth = torch.from_numpy(images), torch.tensor(truth).float()
        model = Detector("qarepvgg")
        optimizer = torch.optim.SGD(model.parameters(), 0.02, 0.9, nesterov=True)
        centres, strides = points(96, 96)
        first = last = None
        for _ in range(120):
            logits, distances = model(images)
            total, _, box_loss, _ = detection_loss(
                logits, distances, centres, strides, truth, torch.zeros(0, 5)
            )
            optimizer.zero_grad()
            total.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 10)
            optimizer.step()
            first = first or float(box_loss)
            last = float(box_loss)
        self.assertLess(last, 0.5 * first)
        boxes, scores = boxes_of(distances, centres, strides), logits.sigmoid()
        for b in range(4):
            best = int(scores[b].amax(1).argmax())
            self.assertEqual(int(scores[b, best].argmax()), int(truth[b, 1]))
            self.assertGreater(float(iou_of(boxes[b, best][None], truth[b, 2:][None])), 0.7)


if __name__ == "__main__":
    unittest.main()
