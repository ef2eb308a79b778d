"""From the trained network to a full-int8 TFLite file.

The network is built again in Keras at one fixed input size, the folded weights are copied, and the TFLite converter quantises weights (per
channel) and activations (from a calibration set). Input int8 RGB (a pixel's level minus 128); outputs int8: for each head a heatmap
[1, h, w, 1] of probabilities and boxes [1, h, w, 4] in cells. Names, strides and thresholds are the manifest's: see `pack`.
"""

from collections.abc import Iterable

import numpy as np

from models_tflite.training.layers import Inverted, Layer
from models_tflite.training.network import STRIDES, Detector


def keras_layer(layer: Layer, name: str):
    """The Keras layers that act as `layer`, as a function of a tensor."""
    import keras

    weight, bias = layer.folded().detach().cpu().numpy(), layer.bias.detach().cpu().numpy()
    options = {"strides": layer.stride, "padding": "same", "activation": None if layer.linear else "relu6", "name": name}
    if layer.groups > 1:
        made = keras.layers.DepthwiseConv2D(layer.kernel, **options)
        kernel = weight.transpose(2, 3, 0, 1)
    else:
        made = keras.layers.Conv2D(weight.shape[0], layer.kernel, **options)
        kernel = weight.transpose(2, 3, 1, 0)

    def apply(tensor):
        out = made(tensor)
        made.set_weights([kernel, bias])
        return out

    return apply


def keras_detector(detector: Detector, size: tuple[int, int]):
    """The whole network as a Keras model for input [1, height, width, 3] in -1..1.

    Outputs, for each head: probabilities [1, h, w, 1], distances [1, h, w, 4] in cells.
    """
    import keras
    import tensorflow as tf

    names = {id(module): name.replace(".", "_") for name, module in detector.named_modules()}

    def use(module, tensor):
        if isinstance(module, Layer):
            return keras_layer(module, names[id(module)])(tensor)
        made = tensor
        for part in module.children():
            made = use(part, made)
        return keras.layers.Add()([tensor, made]) if isinstance(module, Inverted) and module.adds else made

    def double(tensor):
        # Not UpSampling2D, which the converter unrolls into TILE: that one is no Edge TPU operator.
        height, width = 2 * tensor.shape[1], 2 * tensor.shape[2]
        resize = keras.layers.Lambda(
            lambda t: tf.image.resize(t, (height, width), method="nearest"), output_shape=(height, width, tensor.shape[3])
        )
        return resize(tensor)

    picture = keras.Input((*size, 3), batch_size=1, name="picture")
    tensor, maps = use(detector.stem, picture), []
    for block in detector.blocks:
        if block.stride == 2:
            maps.append(tensor)
        tensor = use(block, tensor)
    at4, *middle = maps[1:]
    mixed = use(detector.deepest, tensor)
    for side, mix, feature in zip(detector.sides, detector.mixes, reversed(middle), strict=True):
        mixed = use(mix, keras.layers.Add()([use(side, feature), double(mixed)]))
    fine = keras.layers.Add()([use(detector.side4, at4), double(use(detector.reduce, mixed))])
    outputs = []
    for stride, head, feature in zip(STRIDES, (detector.fine, detector.coarse), (fine, mixed), strict=True):
        inner = use(head.second, use(head.first, feature))
        outputs.append(keras.layers.Activation("sigmoid", name=f"heatmap_{stride}")(use(head.peak, inner)))
        outputs.append(keras.layers.Rescaling(head.scale, name=f"box_{stride}")(use(head.edge, inner)))
    return keras.Model(picture, outputs)


def to_float16(detector: Detector, size: tuple[int, int]) -> bytes:
    """The same network with 16-bit weights and float arithmetic: what the int8 file is held against."""
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(keras_detector(detector.eval(), size))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    return converter.convert()


def to_tflite(detector: Detector, size: tuple[int, int], calibration: Iterable[np.ndarray]) -> bytes:
    """A full-int8 TFLite file; `calibration` yields uint8 pictures [height, width, 3]."""
    import tensorflow as tf

    model = keras_detector(detector.eval(), size)
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([picture[None].astype(np.float32) / 127.5 - 1] for picture in calibration)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8  # uint8 would cost a QUANTIZE, a twelfth of the time
    converter.inference_output_type = tf.int8
    return converter.convert()
