"""Texts that readers or writers of text formats may mistake for something else."""

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
