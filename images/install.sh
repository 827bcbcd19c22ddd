# Run while an image is built: makes /opt/quillflow, an environment of what kfp.txt and stage.txt list, without pip.
# The lists are complete, so nothing is resolved, and nothing is built. kfp comes without its dependencies, of which
# a stage needs none.
set -eu
python3 -m venv --without-pip /opt/quillflow
python3 -m pip --python /opt/quillflow/bin/python install --quiet --disable-pip-version-check --root-user-action ignore \
  --only-binary :all: --no-deps --require-hashes -r /build/kfp.txt -r /build/stage.txt
# A package's tests, headers, sources in C and type stubs are for those who change it.
find /opt/quillflow/lib -type d \( -name tests -o -path '*/tensorflow/include' \) -prune -exec rm -rf {} +
find /opt/quillflow/lib -type f \( -name '*.c' -o -name '*.h' -o -name '*.a' -o -name '*.py[ix]' -o -name '*.pxd' \) -delete
