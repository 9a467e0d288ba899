# Packages are built in one stage and copied to the next, which holds no compiler and no cache.
FROM python:3.11-slim AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
COPY requirements.txt .
RUN /opt/venv/bin/pip install --require-hashes -r requirements.txt

FROM python:3.11-slim
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    BENCHSITE_DATA_DIR=/var/lib/benchsite
RUN useradd --system --home-dir /app --shell /usr/sbin/nologin benchsite \
    && install -d -o benchsite -g benchsite /app /var/lib/benchsite
COPY --from=packages /opt/venv /opt/venv
WORKDIR /app
COPY --chown=benchsite:benchsite . .
USER benchsite
# Neither is used: they keep an embedded server and a made secret key out of the image.
RUN DATABASE_URL=postgres://unused/unused BENCHSITE_SECRET_KEY=$(printf '%050d' 0) \
    python manage.py prepare --static-only
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD \
    ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
CMD ["python", "manage.py", "serve", "--host", "0.0.0.0"]
