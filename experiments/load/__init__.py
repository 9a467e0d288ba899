"""Made-up results in any number, to see how the site does with them."""

from experiments.load.plan import SHAPES, Plan, plan_load
from experiments.load.writing import Loaded, LoadError, write_load

__all__ = ["SHAPES", "LoadError", "Loaded", "Plan", "plan_load", "write_load"]
