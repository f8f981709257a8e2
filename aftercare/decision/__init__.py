"""From readings to a disposition or the next question: rules, interview and the wording of the reply."""
