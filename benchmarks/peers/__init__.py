"""What `make bench` compares: each module here is a subject, and shows as a section of docs/benchmarks.md.

To add a subject, add one small file, say `peers/tokenizer.py`, with

- TITLE, the heading of its section, and NOTE, a paragraph on what is compared and on which inputs;
- ACROSS, the name of the axis on which its contests lie ("texts a batch"), with the unit, and PLOTTED, which of
  "time" and "memory" is drawn over it;
- `contests(place, full)`, which makes the inputs in the folder `place` (kept between runs; look before making them
  again) and yields a `Contest` for each task: a label, the place on the axis (None: not in the plot) and the
  contenders, ours first. It has a table of its own, or is a line of the one that `table` names; `rounds` is for tasks
  that take minutes. `full` is False for a quick run: yield what takes a minute or two.

A `Contender` is a name, the interpreter of one of the three environments (PRODUCT, PADDLE, TRANSFORMERS4 of
`benchmarks.contest`) and the words behind it. It is run in the project's folder as a process of its own; OUTPUT among
the words becomes a folder that is not there yet, and is removed after the run. By default the whole process is
measured: wall and CPU seconds, and memory with pages of files apart. A program whose start-up is not what is compared
prints as its last line {"seconds": s, "cpu_seconds": c} of the part that counts. One that has to load a model or a
vocabulary first can stay: with `task`, a line of JSON, a contender is a process that lives while contests have it, and
is asked once in each round; `programs/answering.py` is its loop. Programs lie in `programs/`, and may run in an
environment without this project.

Then commit, and run `python -m benchmarks.bench --only NAME --write`: it writes docs/benchmarks.md anew.
"""
