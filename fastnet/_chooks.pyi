# C hooks: nothing here is for Python.
