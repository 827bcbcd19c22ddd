"""Writing a few texts without delay: the network and the sampling rules in NumPy, without TensorFlow.

TensorFlow takes seconds to import and to compile, and then writes hundreds of texts side by side. Here a text is
written alone, at a few thousand characters per second, and starts at once.
"""
