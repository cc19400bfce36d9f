"""What every room uses: errors and their codes, text made safe to print, the version, and what Ctrl-C may interrupt.

It imports nothing of ours.
"""
