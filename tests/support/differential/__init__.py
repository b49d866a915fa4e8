"""The same requests to the real Explorer and to `cfwb serve`, on copies of one state: `requests` makes them, `answers` asks and compares,
`allowances` lets the listed differences pass, `states` builds the state and compares what became of it."""
