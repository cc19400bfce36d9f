"""From a folder to a published model.

The way: `arguments` -> `folder` (what there is to upload) -> `evidence` (does the report speak of these bytes?) ->
`card` (the card with the evidence) -> `changes` (what the Hub lacks) -> `hub` (the only room that asks a server;
`token`, `patience`, `landing` and `errors` are its parts) -> `pushing` (all of it in order, and the sums read back).
"""
