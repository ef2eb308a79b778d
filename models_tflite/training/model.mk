# Training, packing and judging the packaged models. Included by the root Makefile; nothing here is needed to run or test Passerby.
TRAIN ?= .venv-train
# Big tensors come and go with each step: without these, glibc hands every one back to the kernel, which costs half of the time.
TRAIN_ENV = MALLOC_MMAP_THRESHOLD_=17179869184 MALLOC_TRIM_THRESHOLD_=17179869184 OMP_WAIT_POLICY=passive

.PHONY: model model-setup model-smoke model-assess model-lock

$(TRAIN)/.done: requirements/train.txt | $(BIN)/uv
	$(PYTHON) -m venv $(TRAIN)
	$(BIN)/uv pip install -q --python $(TRAIN)/bin/python --require-hashes -r requirements/train.txt
	@touch $@

model-setup: $(TRAIN)/.done  ## a venv to train in (several gigabytes: PyTorch and TensorFlow)

model: $(TRAIN)/.done  ## train, export and judge the packaged models anew, from nothing but the data folder
	$(TRAIN_ENV) $(TRAIN)/bin/python -m models_tflite.training make

model-smoke: $(TRAIN)/.done  ## a few training steps, end to end, on made-up pictures
	$(TRAIN)/bin/python -m models_tflite.training smoke
	$(TRAIN)/bin/python -m pytest -q tests/models

model-assess: $(TRAIN)/.done  ## figures of the packaged models on what is held back
	$(TRAIN)/bin/python -m models_tflite.training assess

model-lock: | $(BIN)/uv
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate requirements/train.in -o requirements/train.txt
