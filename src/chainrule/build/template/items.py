"""What is graded in this unit: points, cases, slips, equivalents. The notebook's order is the items' order."""

import numpy as np

from chainrule.items import Case, Same, Slip, Worked, choice, function, value

ITEMS = (
    function(
        "rectify",
        points=2,
        worked=[Worked("(-3, 4)", lambda given: (np.array([-3.0, 4.0]),))],
        cases=[
            Case("a vector", lambda rng: (with_both_signs(rng, 5),)),
            Case("a batch", lambda rng: (with_both_signs(rng, 4, 3),)),
        ],
        slips=[
            Slip("absolute", "np.maximum(z, 0)", "np.abs(z)", says="negative numbers come back as positive ones."),
            Slip("other-side", "maximum", "minimum", says="the negative numbers are kept and the positive ones lost."),
            Slip(
                "one-side-sign",
                "np.maximum(z, 0)",
                "(z > 0) * 1.0",
                credit=0.25,
                says="what is positive comes back as 1.",
            ),
            Slip("not-at-all", "np.maximum(z, 0)", "z", credit=0, says="nothing has changed."),
        ],
        same=[
            Same("where", "np.maximum(z, 0)", "np.where(z > 0, z, 0)"),
            Same("mask", "np.maximum(z, 0)", "z * (z > 0)"),
            Same("half", "np.maximum(z, 0)", "(z + np.abs(z)) / 2"),
        ],
        hints=["What should become of -3, and what of 4?", "numpy has the larger of two numbers, entry by entry."],
    ),
    value(
        "rectified",
        points=1,
        builds_on=["rectify"],
        slips=[
            Slip("sign", "rectify(z)", "-rectify(z)", says="every number has the opposite sign."),
            Slip("sum", "rectify(z)", "rectify(z).cumsum()", says="the numbers have been added up on the way."),
        ],
        same=[Same("typed", "rectify(z)", "[0, .5, 2]")],
        hints=["Call your function on z."],
    ),
    choice(
        "slope-at-2",
        points=1,
        slips=[
            Slip("value", "= 1", "= 2", credit=0, says="that is the height of the curve there."),
            Slip("flat", "= 1", "= 0", credit=0, says="that is the slope on the other side."),
        ],
        same=[Same("float", "= 1", "= 1.0")],
        hints=["From 2 to 2.1, by how much does the curve rise?"],
    ),
)


def with_both_signs(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Numbers away from zero, at least one of each sign, so that every slip shows."""
    numbers = rng.uniform(0.5, 2.0, size=shape) * rng.choice([-1, 1], size=shape)
    numbers.flat[0], numbers.flat[1] = -1.25, 1.75
    return numbers
