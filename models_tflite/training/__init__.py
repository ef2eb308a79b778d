"""How the packaged person detector was made, as code that runs again.

`python -m models_tflite.training` trains, exports, evaluates and packs. It runs in a venv of its own (`make model-setup`), never on a
device, and nothing in `firmware` imports it. The pictures it learns from stay outside the project: only weights and figures come back.
"""
