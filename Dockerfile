# One image for web, worker and beat; docker-compose.yml says which command each of them runs.

FROM python:3.11-slim-bookworm AS environment
WORKDIR /soundings
COPY requirements/uv.txt requirements/run.txt requirements/
RUN python -m venv .venv \
    && python -m venv /tmp/uv \
    && /tmp/uv/bin/pip install --no-cache-dir --require-hashes -r requirements/uv.txt \
    && /tmp/uv/bin/uv pip install --no-cache --python .venv/bin/python --compile-bytecode \
       --require-hashes -r requirements/run.txt

FROM python:3.11-slim-bookworm
WORKDIR /soundings
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin soundings
COPY --from=environment /soundings/.venv .venv
COPY LICENSE manage.py pyproject.toml ./
COPY instruments instruments
COPY analytics analytics
COPY patients patients
COPY monitoring monitoring
# What check_vectors reads
COPY docs/reference/vectors docs/reference/vectors
# The image is read-only when it runs, so what Python would write then is written now
RUN python -m compileall -q analytics patients monitoring
ENV PATH=/soundings/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=monitoring.settings
USER 10001
EXPOSE 8000
