"""A long solve that was ended continues where it stood."""

import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from damaged_files import flipped_byte
