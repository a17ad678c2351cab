# make              sets up .venv with everything the project needs (a few minutes, once)
# make demo         camera frames -> the detector node over DDS -> table and pictures
#                   IMAGES=<folder> or BAG=<rosbag2> instead of the synthetic sea; FRAMES=<n>
# make test         ruff, mypy and pytest
# make test-kilted  the ROS tests on the next distribution's wheels
# make clean        removes what demo and test leave behind;  make distclean removes .venv too
#
# Where a ROS 2 installation is sourced, its rclpy, messages, numpy and OpenCV are used; elsewhere
# ROS 2 Jazzy comes from wheels and vision_msgs is built from tools/vision_msgs.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := environment
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: environment demo test test-kilted clean distclean help

PYTHON ?= python3
VENV ?= .venv
ROS_REQUIREMENTS ?= requirements-ros.txt
BIN := $(VENV)/bin
STAMPS := $(VENV)/.stamps
PIP := $(BIN)/python -m pip install --disable-pip-version-check --quiet --progress-bar on

# A ROS 2 installation counts only if the chosen Python can import its rclpy.
ifneq ($(AMENT_PREFIX_PATH),)
SYSTEM_ROS := $(shell env -u _ROS_WHEELS_BOOTSTRAP_COMPLETE $(PYTHON) -c \
	'import sys, rclpy; print("yes" if not rclpy.__file__.startswith(sys.argv[1]) else "")' \
	'$(CURDIR)/$(VENV)' 2>/dev/null)
endif

ifeq ($(SYSTEM_ROS),yes)
VENV_OPTIONS := --system-site-packages
ROS_STAMP := $(STAMPS)/vision_msgs
else
ROS_STAMP := $(STAMPS)/ros $(STAMPS)/vision_msgs
export AMENT_PREFIX_PATH := $(CURDIR)/$(VENV)
endif

RUN := $(BIN)/python -m spiking_retina_ros

environment: $(STAMPS)/python $(STAMPS)/torch $(STAMPS)/requirements $(ROS_STAMP) $(STAMPS)/test

$(STAMPS)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' || { \
		echo "error: expected Python 3.10 to 3.13 (ROS 2 wheels exist for these)," \
			"found $$($(PYTHON) --version 2>&1); choose one with: make PYTHON=python3.11" >&2; \
		exit 1; }
	@test -x $(BIN)/python || { echo 'creating $(VENV)'; \
		$(PYTHON) -m venv $(VENV_OPTIONS) $(VENV) || { \
		echo 'error: no virtual environment; on Debian and Ubuntu: apt install python3-venv' >&2; \
		rm -rf $(VENV); exit 1; }; }
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/torch: requirements.txt | $(STAMPS)/python
	@echo 'installing torch'
	@$(PIP) "$$(grep '^torch==' requirements.txt)"
	@touch $@

# A sourced ROS 2 was compiled against its own numpy: replacing that one would break its messages.
$(STAMPS)/requirements: requirements.txt $(STAMPS)/torch
	@echo 'installing requirements.txt'
ifeq ($(SYSTEM_ROS),yes)
	@grep -v -E '^(numpy|opencv-python-headless|PyYAML)==' requirements.txt > $(STAMPS)/list.txt
	@$(PIP) -r $(STAMPS)/list.txt
else
	@$(PIP) -r requirements.txt
endif
	@touch $@

$(STAMPS)/ros: $(ROS_REQUIREMENTS) $(STAMPS)/requirements
	@echo 'installing ROS 2 from wheels'
	@$(PIP) -r $(ROS_REQUIREMENTS)
	@touch $@

$(STAMPS)/vision_msgs: tools/build_vision_msgs.py $(wildcard tools/vision_msgs/*.* \
		tools/vision_msgs/msg/*.msg) $(STAMPS)/requirements $(filter %/ros,$(ROS_STAMP))
	@$(BIN)/python tools/build_vision_msgs.py
	@touch $@

$(STAMPS)/test: requirements-test.txt $(STAMPS)/requirements
	@echo 'installing requirements-test.txt'
	@$(PIP) -r requirements-test.txt
	@touch $@

demo: environment
	@$(RUN) demo $(if $(IMAGES),--images '$(IMAGES)') $(if $(BAG),--bag '$(BAG)') \
		$(if $(FRAMES),--frames $(FRAMES))

test: environment
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python -m pytest

# The ROS tests again with the distribution after Jazzy, in an environment of their own.
test-kilted:
	@$(MAKE) --no-print-directory VENV=.venv-kilted ROS_REQUIREMENTS=requirements-ros-kilted.txt \
		environment
	AMENT_PREFIX_PATH='$(CURDIR)/.venv-kilted' .venv-kilted/bin/python -m pytest test/ros

clean:
	rm -rf build install log demo_output .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -exec rm -rf {} +

distclean: clean
	rm -rf $(VENV) .venv-kilted

help:
	@sed -n '/^# make/,/^$$/s/^# \?//p' Makefile
