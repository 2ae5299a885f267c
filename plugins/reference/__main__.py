"""Prints the page."""

import sys

from plugins.reference.page import page

sys.stdout.write(page())
