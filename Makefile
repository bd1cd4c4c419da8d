# make run            the page, on this machine:    http://127.0.0.1:7860
# make run HOST=0.0.0.0                              also for others on the same network
# make test           all tests;  make test ARGS="-k lint -x"  some of them
# make fuzz           20 times as many strange requests as the tests send;  ARGS="-k compare"  some of them
# make lint           style and types
# make bench          speed, of search, starts and crowds too; on a quiet machine, half an hour; writes benchmarks/
# make board          score all judged queries anew; writes scenarios/board.json, in minutes
# make train          the embedded cross-encoder anew (needs its data; see training/)
# make quantize       ranges for 8-bit integers anew, after training, in minutes
# make agreement      do the faster backends rank as torch does?  writes benchmarks/AGREEMENT*.md
# make overlap        do scenario texts occur in training texts?  ARGS=--check needs no data
# Each makes .venv first where it is missing or its requirements have changed.

HOST = 127.0.0.1
PORT = 7860
ARGS =
PY = .venv/bin/python

.PHONY: help run test fuzz lint bench board train quantize agreement overlap

help:
	@sed -n 's/^# //p' Makefile

run:
	@tools/install.sh run
	@echo "Starting the page (Ctrl-C ends it) ..."
	@RERANK_HOST=$(HOST) RERANK_PORT=$(PORT) $(PY) app.py

test:
	@tools/install.sh dev
	@chromium="$$(tools/chromium.sh --install)" && \
	HF_HUB_OFFLINE=1 CHROMIUM="$$chromium" $(PY) -m pytest $(ARGS)

fuzz:
	@tools/install.sh dev
	HF_HUB_OFFLINE=1 RERANK_FUZZ=10000 $(PY) -m pytest tests/test_fuzz_endpoints.py $(ARGS)

lint:
	@tools/install.sh dev
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy

bench:
	@tools/install.sh dev
	$(PY) -m benchmarks.rerank
	$(PY) -m benchmarks.encode
	$(PY) -m benchmarks.search
	$(PY) -m benchmarks.index
	$(PY) -m benchmarks.start
	$(PY) -m benchmarks.visitors

board:
	@tools/install.sh run
	HF_HUB_OFFLINE=1 RERANK_BACKEND=torch $(PY) -m rerank_core board scenarios --out scenarios/board.json

train:
	@tools/install.sh dev
	$(PY) -m training $(ARGS)

quantize:
	@tools/install.sh dev
	HF_HUB_OFFLINE=1 $(PY) -m training.quantize

agreement:
	@tools/install.sh dev
	$(PY) -m benchmarks.agreement $(ARGS)

overlap:
	@tools/install.sh dev
	$(PY) -m training.overlap $(ARGS)
