"""Publish a converted folder as a model on the Hub.

In this order: `arguments`, `folder` (the files to upload), `evidence` (whether the report is about these bytes), `card`
(the model card with the evidence), `changes` (the files that the Hub lacks), `push` (all of it, and the comparison of
checksums afterwards). The room `hub` asks the server. Imports every room below, and `verify` for reports and traces.
"""
