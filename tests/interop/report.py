# SPDX-License-Identifier: Apache-2.0
"""What the comparisons with diffusers print, and how many of them failed."""

OUTPUT_TOLERANCE = 1e-4  # of the largest output
IMAGE_TOLERANCE = 1e-3   # of pixel values in [0, 1]
failures = []


def report(what, difference, tolerance):
    good = difference <= tolerance
    print(f"{'ok    ' if good else 'FAILED'} {what}: {difference:.2e} (at most {tolerance:.0e})",
          flush=True)
    if not good:
        failures.append(what)


def report_output(what, ours, theirs):
    """The largest difference of two outputs, relative to the largest number."""
    if ours.shape != theirs.shape:
        report(f"{what}, shape {ours.shape} for {theirs.shape}", float("inf"), OUTPUT_TOLERANCE)
    else:
        report(what, abs(ours - theirs).max() / abs(theirs).max(), OUTPUT_TOLERANCE)


def finish():
    """Prints the sum of all reports; returns the exit code."""
    if failures:
        print(f"{len(failures)} comparisons FAILED")
        return 1
    print("all comparisons passed")
    return 0
