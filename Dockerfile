# The `mudanza` command in a container, as the user 10001.
#
#   docker build -t mudanza .
#   docker run --rm -v "$PWD:/source:ro" mudanza migrate /source/app.db --target postgresql://...
#
# Without --target it starts an embedded PostgreSQL under /data: give that a
# volume, or it goes with the container.

FROM python:3.11-slim AS build
WORKDIR /build
COPY requirements.lock requirements-runtime.lock ./
# Two environments: one that can build, and the one that is shipped.
RUN python -m venv tools && tools/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
RUN python -m venv /opt/mudanza \
    && /opt/mudanza/bin/pip install --no-cache-dir --require-hashes -r requirements-runtime.lock
COPY . .
RUN tools/bin/pip wheel --no-deps --no-build-isolation --wheel-dir wheels . \
    && /opt/mudanza/bin/pip install --no-cache-dir --no-deps wheels/*.whl

FROM python:3.11-slim
# initdb asks the system for the name of its user: a bare number would not do.
# tini reaps what a killed PostgreSQL leaves behind; the command itself does not.
RUN apt-get update \
    && apt-get install -y --no-install-recommends tini \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin mudanza \
    && install -d -o mudanza -g mudanza -m 0700 /data
COPY --from=build /opt/mudanza /opt/mudanza
ENV MUDANZA_HOME=/data PATH=/opt/mudanza/bin:$PATH
USER 10001
ENTRYPOINT ["tini", "--", "mudanza"]
CMD ["--help"]
