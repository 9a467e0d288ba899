# Packages are installed in one stage and copied to the next, which holds no cache.
ARG BASE=python:3.11.15-slim-bookworm

FROM ${BASE} AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /opt
RUN python -m venv /opt/venv
COPY requirements.txt .
RUN /opt/venv/bin/pip install --quiet --require-hashes --requirement requirements.txt

FROM ${BASE}
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 BENCHSITE_DATA_DIR=/var/lib/benchsite
COPY --from=packages /opt/venv /opt/venv
WORKDIR /app
COPY . .
# Neither is used: they keep an embedded server and a made secret key out of the image.
RUN DATABASE_URL=postgres://unused/unused BENCHSITE_SECRET_KEY=$(printf '%050d' 0) \
    python manage.py prepare --static-only
# The site owns the folder of its secret key and nothing else: code and static files stay as built.
RUN install -d -m 0700 -o 10001 -g 10001 /var/lib/benchsite
USER 10001:10001
VOLUME /var/lib/benchsite
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=10s --start-period=60s CMD \
    ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health')"]
CMD ["python", "manage.py", "serve", "--host", "0.0.0.0"]
