"""The packaged person detector: int8 TFLite files and the manifest that describes them.

`manifest.toml` beside this file lists every model with its sha256; `MODEL_CARD.md` says what they can and cannot do; `training/` holds
the recipe. Read through `firmware.vision.manifest`; nothing here runs on a device.
"""
