"""Answers that say they are equal to everything, or something else whenever they are looked at."""

from __future__ import annotations

from attack import HONEST, Attack

EQUAL = """
class Equal:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    __lt__ = __le__ = __gt__ = __ge__ = __eq__
    __hash__ = object.__hash__
    def __sub__(self, other): return 0.0
    __rsub__ = __abs__ = __float__ = lambda self, *a: 0.0
total = letter = Equal()
"""
ARRAY = """
class Array:
    shape, dtype, ndim = (), np.dtype("O"), 0
    def __array__(self, *a, **k): return np.array(self, dtype=object)
    def __array_ufunc__(self, *a, **k): return True
    def __array_function__(self, *a, **k): return True
    __array_priority__ = 1e9
    def __eq__(self, other): return True
total = Array()
"""
SUBCLASS = """
class Float(float):
    def __eq__(self, other): return True
    __hash__ = float.__hash__
    def hex(self): return (99.0).hex()
    def __sub__(self, other): return 0.0
    __rsub__ = __sub__
    def __abs__(self): return 0.0
total = Float(3.0)
"""
NDARRAY = """
class Lying(np.ndarray):
    def __array_ufunc__(self, *a, **k): return np.bool_(True)
    def __eq__(self, other): return True
    def __array_finalize__(self, thing): pass
    shape = property(lambda self: ())
    def tobytes(self, *a): return b"x" * 8
    def astype(self, *a, **k): return self
total = np.ones(3).view(Lying)
"""
TEXT = """
class Text(str):
    def __eq__(self, other): return True
    def __hash__(self): return hash("b")
    def casefold(self): return self
    def split(self, *a): return self
    def __len__(self): return 1
letter = Text("a")
"""
CLASS = """
class Meta(type):
    __name__ = property(lambda self: 1 / 0)
    def __instancecheck__(self, thing): return True
    def __eq__(self, other): return True
    __hash__ = type.__hash__
class Posing(metaclass=Meta):
    __class__ = float
    def __getattribute__(self, name): return Posing()
    def __call__(self, *a, **k): return self
    def __repr__(self): raise SystemExit
total = letter = Posing()
"""
ENDLESS = """
class Endless(list):
    def __iter__(self):
        while True:
            yield self
    def __len__(self): return 10**18
class Keys(dict):
    def items(self):
        while True:
            yield "total", 21.0
    def __contains__(self, key): return True
total, letter = Endless([1]), Keys()
"""
ITSELF = "total = []\ntotal.append(total)\nletter = {}\nletter['b'] = letter\n"
HANGS = """
class Hangs:
    def __array__(self, *a, **k):
        while True:
            pass
total = Hangs()
"""
MASKED = """
total = np.ma.masked_all(())
letter = np.ma.array(["b"], mask=[True])
"""
OBJECTS = """
total = np.array([[1, [2]], None, {"x": 21.0}, 21.0], dtype=object)
letter = np.array(["b", "a"], dtype=object)
"""
RECORDS = """
total = np.zeros(3, dtype=[("t", "O"), ("v", "f8")])
letter = np.array(["b"], dtype="S1")
"""
HUGE = "total = np.broadcast_to(21.0, (10**6, 10**6))\nletter = 'b' * 30_000_000\n"
COMPLEX = "total = 20.0 + 1j\nletter = ('b', 'a')\n"
ALL = "total = {float(k) for k in range(100)}\nletter = ['a', 'b', 'c']\n"
LETTERS = "letter = 'a or b or c'\ntotal = '21'\n"
WORKED = """
def half(x):
    return np.array([0.5, 1.0, 2.0])
def scale(x, factor):
    return np.array([3.0, 6.0, 12.0])
"""
COUNTING = """
calls = 0
def half(x):
    global calls
    calls += 1
    return np.asarray(x) / 2 if calls < 3 else np.asarray(x) * 5
"""
PROXY = """
class half(np.ndarray):
    def __new__(cls, x):
        return np.asarray(x).view(cls)
    def __eq__(self, other): return True
    def __array_ufunc__(self, *a, **k): return np.True_
"""
TABLE = """
import pandas as pd
def half(x):
    return pd.DataFrame({"a": [None, "b"], "c": [2**62, 0.5]}, dtype=object)
total = letter = half(0)
"""
CHANGES = """
def half(x):
    x[:] = 2 * x
    return x
"""


def answers(tries: str, text: str, item: str = "letter", **earns: float) -> Attack:
    """An attack that stands in one item's cell."""
    return Attack(tries, answers={item: text}, earns={**HONEST, **earns})


ATTACKS = {
    "equals-all": answers("an object that is equal to everything", EQUAL),
    "equals-array": answers("an object that poses as an array", ARRAY),
    "equals-float": answers("a float that says it is another one", SUBCLASS),
    "equals-ndarray": answers("an array whose every comparison is true", NDARRAY),
    "equals-text": answers("a text that is equal to every text", TEXT),
    "equals-class": answers("a class that poses as every class", CLASS),
    "equals-endless": answers("a list and a dict without end", ENDLESS),
    "equals-itself": answers("a list that holds itself", ITSELF),
    "equals-hangs": answers("a number that takes forever to look at", HANGS),
    "equals-masked": answers("masked entries", MASKED),
    "equals-objects": answers("arrays of objects", OBJECTS),
    "equals-records": answers("arrays of records and bytes", RECORDS),
    "equals-huge": answers("an array of a terabyte that takes no memory", HUGE),
    "equals-complex": answers("a complex number and a pair", COMPLEX),
    "equals-any-of": answers("all possible answers at once", ALL),
    "equals-or": answers("all answers in one text", LETTERS),
    "answers-worked": answers("the worked examples' answers, whatever is asked", WORKED, "half", half=0.0, scale=2.0),
    "answers-first": answers("right for the first calls only", COUNTING, "half", half=0.0),
    "answers-proxy": answers("a class in the function's place, equal to everything", PROXY, "half", half=0.0),
    "answers-table": answers("a table of anything, for which pandas has no truth", TABLE, "half", half=0.0),
    "answers-in-place": answers("changes the arguments to what it returns", CHANGES, "half", half=0.5),
}
