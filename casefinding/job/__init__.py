"""The main job and its parts, as the commands call them; each is a straight line through the rooms."""

from casefinding.job.check import check_definitions
from casefinding.job.main import main_job, train_one
from casefinding.job.records import bring_in, simulate_people

__all__ = ["bring_in", "check_definitions", "main_job", "simulate_people", "train_one"]
