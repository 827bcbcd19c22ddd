"""Writing a few texts at once: the network and the rules over NumPy, which need no TensorFlow to start.

TensorFlow takes seconds to import and to compile, and then writes hundreds of texts side by side. Here a text is
written alone, a few thousand characters a second, from the first moment on.
"""
