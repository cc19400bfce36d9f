"""What `make bench` compares: each module here is a subject, and shows as a section of docs/benchmarks.md.

To add a subject, add one small file, say `peers/tokenizer.py`, with

- TITLE, the heading of its section, and NOTE, a paragraph on what is compared and on which inputs;
- ACROSS, the name of the axis on which its contests lie ("texts a batch"), with the unit;
- `contests(place, full)`, which makes the inputs in the folder `place` (kept between runs; look before making them
  again) and yields a `Contest` for each row of the table: a label, the place on the axis (None: not in the plot) and
  the contenders, ours first. `full` is False for a quick run: yield what takes some minutes in all.

A `Contender` is a name, the interpreter of one of the three environments (PRODUCT, PADDLE, TRANSFORMERS4 of
`benchmarks.contest`) and the words behind it. It is run in the project's folder as a process of its own; OUTPUT among
the words becomes a folder that is not there yet, and is removed after the run. By default the whole process is
measured: wall and CPU seconds, and memory with pages of files apart. A program whose start-up is not what is compared
(a model that is loaded first) prints as its last line {"seconds": s, "cpu_seconds": c} of the part that counts:
`programs/` is the place for such programs, which run in an environment without this project.

Then commit, and run `python -m benchmarks.bench --only NAME --write`: it writes docs/benchmarks.md anew.
"""
