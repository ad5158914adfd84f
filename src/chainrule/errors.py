"""What can go wrong, by whose fault it is. Only a student's fault can cost marks, and it is never an exception."""


class ChainruleError(Exception):
    """Something that a person must mend; the message names the file, the place and the way out."""


class KitError(ChainruleError):
    """The kit's own fault while grading: reported as such, never turned into a score."""


class CourseError(ChainruleError):
    """The course folder or a unit in it is not as it should be."""


class BuildError(CourseError):
    """A unit's text and its items contradict each other."""


class SubmissionError(ChainruleError):
    """A submission that cannot be graded as it is. `cause` is a short word, `where` the file, `says` what is wrong."""

    def __init__(self, cause: str, where: str, says: str) -> None:
        super().__init__(f"{where} {says}")
        self.cause, self.where, self.says = cause, where, says
