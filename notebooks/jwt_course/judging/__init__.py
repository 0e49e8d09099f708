"""What the judges of all lessons share: is an answer of the right kind, and is it the learner's?

`answers` says what is wrong with an answer's kind, `own_work` finds borrowed answers, and
`learners_code` finds the learner's line in a stack of calls. `frames` says where each thread is,
and `waiting` whether it waits. `ending` ends the threads of a check that takes too long, and
`endless` a loop in a browser tab.
"""
