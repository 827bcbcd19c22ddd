# Run while an image is built: makes an environment for /opt/quillflow in /layer, of what kfp.txt and stage.txt list, without pip.
# The lists are complete, so nothing is resolved, and nothing is built. kfp comes without its dependencies, of which
# a stage needs none.
set -eu
python3 -m venv --without-pip /opt/quillflow
python3 -m pip --python /opt/quillflow/bin/python install --quiet --disable-pip-version-check --root-user-action ignore \
  --only-binary :all: --no-compile --no-deps --require-hashes -r /build/kfp.txt -r /build/stage.txt
# A package's tests, headers, sources in C and type stubs are for those who change it.
find /opt/quillflow/lib -type d \( -name tests -o -path '*/tensorflow/include' \) -prune -exec rm -rf {} +
find /opt/quillflow/lib -type f \( -name '*.c' -o -name '*.h' -o -name '*.a' -o -name '*.py[ix]' -o -name '*.pxd' \) -delete
# Compiled code that names its source by a hash, and files of one time, are the same bytes whenever they are made.
PYTHONHASHSEED=0 python3 -m compileall -q --invalidation-mode unchecked-hash /opt/quillflow/lib
mkdir -p /layer/opt
mv /opt/quillflow /layer/opt/
find /layer -exec touch --no-dereference --date 1980-01-01T00:00Z {} +
