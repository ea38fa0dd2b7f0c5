"""Texts that some reader or writer of texts takes for something else."""

AWKWARD = [
    "",
    " ",
    '"',
    "\\",
    '\\"',
    "a,b",
    "{}",
    "NULL",
    "null",
    "it's",
    "%s",
    ":name",
    "é",
    "x\ny",
    "\t",
    "\\n",
    "牛乳",
]
