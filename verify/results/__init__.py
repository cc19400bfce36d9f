"""What a verification finds, as typed values: results of weights, numbers and tokens, of the self-test, the report with
all of them, their form in JSON, and the names of the files in OUTPUT/verification. The rooms that compare import from
here; nothing here imports another room of verify."""
