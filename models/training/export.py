# SPDX-License-Identifier: Apache-2.0
"""Writes a checkpoint's averaged weights as ONNX in training form: `model fuse` does the fusion.

The graph takes any batch and any height and width in multiples of 32; the JSON beside it says at
which size it is served unless somebody asks for another.
"""

import argparse
import json
import pathlib

import torch
from torch import nn

from boxes import STRIDES, cells
from data import BORDER, SERVED_HEIGHT, SERVED_WIDTH
from model import CLASSES, Detector

OPSET = 13
FLOAT = torch.onnx.TensorProtoDataType.FLOAT


class Flattened(torch.autograd.Function):
    """From [B, C, h, w] to [B, C, h * w], whatever B, h and w are."""

    @staticmethod
    def forward(_, maps):
        return maps.flatten(2)

    @staticmethod
    def symbolic(g, maps):
        return g.op("Reshape", maps, _constant(g, [0, 0, -1]))


class Cells(torch.autograd.Function):
    """Of maps [B, C, h, w], row by row [1, h * w, 3]: x and y of each cell's centre, the stride."""

    @staticmethod
    def forward(_, maps, stride):
        centres, strides = cells(*maps.shape[2:], stride)
        return torch.cat([centres, strides], 1)[None]

    @staticmethod
    def symbolic(g, maps, stride):
        # Of one frame: without the open batch in it, an engine that knows h and w folds all this.
        shape = g.op("Shape", g.op("Gather", maps, _constant(g, 0), axis_i=0))
        size = g.op("Gather", shape, _constant(g, [1, 2]))
        columns = []
        for axis, along in ((2, [1, -1]), (1, [-1, 1])):
            count = g.op("Gather", shape, _constant(g, axis))
            steps = g.op("Range", _constant(g, 0), count, _constant(g, 1))
            centres = g.op("Add", g.op("Cast", steps, to_i=FLOAT), _constant(g, 0.5))
            columns.append(g.op("Reshape", centres, _constant(g, along)))
        columns.append(_constant(g, float(stride)))
        columns = [g.op("Expand", column, size) for column in columns]
        columns = [g.op("Reshape", column, _constant(g, [1, -1, 1])) for column in columns]
        return g.op("Concat", *columns, axis_i=2)


def _constant(g, value):
    return g.op("Constant", value_t=torch.tensor(value))


class Decoded(nn.Module):
    """From images [B, 3, H, W] to [B, A, 5 + C]: cx, cy, w, h in pixels, 1, class scores.

    What depends on H and W is computed from the maps, so that the graph is of every size.
    """

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, images):
        scores, distances, places = [], [], []
        for stride, (cls, reg) in zip(STRIDES, self.model.levels(images)):
            scores.append(Flattened.apply(cls.sigmoid()))
            distances.append(Flattened.apply(reg))
            places.append(Cells.apply(reg, stride))
        score = torch.cat(scores, 2).permute(0, 2, 1)
        distance = torch.cat(distances, 2).permute(0, 2, 1)
        left_top, right_bottom = torch.split(distance, (2, 2), 2)
        centre, stride = torch.split(torch.cat(places, 1), (2, 1), 2)
        low, high = centre - left_top, centre + right_bottom
        box = torch.cat([(low + high) / 2, high - low], 2) * stride
        # Ones of as many rows as there are, whose number is known only with the size.
        objectness = score[..., :1].clamp(1, 1)
        return torch.cat([box, objectness, score], 2)


def load(checkpoint):
    """The averaged network of a checkpoint, ready to predict."""
    state = torch.load(checkpoint, map_location="cpu")
    model = Detector(state["blocks"], state["width"], len(state["classes"]))
    model.load_state_dict(state["average"])
    return model.eval()


def export(model, file, width, height, provenance):
    """Writes the ONNX file and, beside it, the JSON that describes it."""
    # Any other mode than PRESERVE folds BatchNorms on the way.
    torch.onnx.export(
        Decoded(model).eval(),
        torch.zeros(1, 3, height, width),
        str(file),
        opset_version=OPSET,
        input_names=["images"],
        output_names=["outputs"],
        dynamic_axes={
            "images": {0: "batch", 2: "height", 3: "width"},
            # How many values the exporter does not see; engines do.
            "outputs": {0: "batch", 1: "anchors", 2: "values"},
        },
        training=torch.onnx.TrainingMode.PRESERVE,
        do_constant_folding=True,
    )
    spec = {
        "name": file.stem,
        "input_width": width,
        "input_height": height,
        "border": BORDER,
        "layout": "anchors-obj",
        "suppress": True,
        "precision": "fp32",
        "labels": list(CLASSES),
        "licence": "Apache-2.0",
        "provenance": provenance,
    }
    file.with_suffix(".json").write_text(json.dumps(spec, indent=2) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("checkpoint", type=pathlib.Path)
    add("onnx", type=pathlib.Path)
    add("--width", type=int, default=SERVED_WIDTH, help="served where nobody asks otherwise")
    add("--height", type=int, default=SERVED_HEIGHT)
    add("--provenance", default="trained by models/training on simulated scenes")
    options = parser.parse_args()
    export(
        load(options.checkpoint),
        options.onnx,
        options.width,
        options.height,
        options.provenance,
    )


if __name__ == "__main__":
    main()
