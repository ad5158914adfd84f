# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # A unit's name
#
# One or two sentences: what this is about. The three items below work as they are; put yours in their place.
#
# **You need:** what the unit assumes. **Afterwards you can:** what the student learns to do.
#
# **Time:** about 10 minutes. **Points:** 4.

# %% given="setup"
import matplotlib.pyplot as plt
import numpy as np

z = np.array([-1.5, 0.5, 2.0])

# %% given="drawing" hidden=true


def draw(function):
    """The student's function as a curve; says so where there is none yet."""
    xs = np.linspace(-3, 3, 61)
    ys = function(xs)
    if ys is None:
        print("Nothing to draw yet: answer the question above and run this again.")
        return
    plt.figure(figsize=(5, 2.5))
    plt.plot(xs, ys)
    plt.xlabel("z")
    plt.show()


# %% [markdown]
# ## 1. The rectifier
#
# It keeps what is positive and turns the rest into zero: $g(z) = \max(0, z)$. For $z = (-3, 4)$ that is $(0, 4)$.
#
# **Question (2 points).** Write `rectify(z)`, for arrays of any shape.


# %% item="rectify"
def rectify(z):
    """(any) -> (any). What is positive stays, the rest is zero. Source: name the text that the formula is from."""
    ### BEGIN SOLUTION
    return np.maximum(z, 0)
    ### END SOLUTION


# %%
draw(rectify)

# %% [markdown]
# **Question (1 point).** What comes out for $z = (-1.5, .5, 2)$? `rectified` is an array or a list of three numbers.

# %% item="rectified"
rectified = None  # three numbers
### BEGIN SOLUTION
rectified = rectify(z)
### END SOLUTION

# %% [markdown]
# **Question (1 point).** What is the slope of the curve at $z = 2$? `slope_at_2` is a number.

# %% item="slope-at-2"
slope_at_2 = None  # a number
### BEGIN SOLUTION
slope_at_2 = 1
### END SOLUTION

# %% [markdown]
# ## What you know now
#
# - One line for each thing that was learnt.
