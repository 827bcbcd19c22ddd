"""TensorBoard over a bucket: the logs of the models in it, mirrored into a folder that TensorBoard reads."""
