# syntax=docker/dockerfile:1
# The console as uid 10001. It writes to the volume /data and to /tmp, so the root may be read-only (docs/operate.md).

FROM python:3.11-slim-bookworm AS build
WORKDIR /source
RUN python -m venv /console
COPY requirements.lock ./
RUN /console/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY . .
RUN /console/bin/pip install --no-cache-dir --no-deps .

FROM python:3.11-slim-bookworm
RUN groupadd --gid 10001 console \
    && useradd --uid 10001 --gid console --no-create-home --home-dir /tmp --shell /usr/sbin/nologin console \
    && install -d -m 700 -o console -g console /data
COPY --from=build /console /console
ENV PATH=/console/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    CONSOLE_HOME=/data \
    CONSOLE_HOST=0.0.0.0
USER 10001:10001
VOLUME /data
EXPOSE 8501
# Below CONSOLE_PUBLIC_URL's path, when it has one.
HEALTHCHECK --interval=10s --timeout=4s --start-period=30s --retries=3 CMD python -c "import os, urllib.parse as p, urllib.request as r; \
    r.urlopen('http://127.0.0.1:8501' + p.urlsplit(os.environ.get('CONSOLE_PUBLIC_URL', '')).path.rstrip('/') + '/live', timeout=3)"
ENTRYPOINT ["oauth-console"]
