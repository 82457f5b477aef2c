# One image for web, worker, beat and migrate; docker-compose.yml names the command of each.
FROM python:3.12-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /portal/venv
COPY requirements.lock /tmp/
RUN /portal/venv/bin/pip install --require-hashes --no-deps --only-binary :all: -r /tmp/requirements.lock

FROM python:3.12-slim
ENV PATH=/portal/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 MALLOC_ARENA_MAX=2 \
    FWPORTAL_MODE=server FWPORTAL_DATA=/data STATIC_ROOT=/portal/staticfiles MPLCONFIGDIR=/tmp/matplotlib
RUN useradd --system --uid 10001 --create-home portal && install -d -o portal -g portal /data
COPY --from=build /portal/venv /portal/venv
WORKDIR /portal/app
COPY manage.py pyproject.toml ./
COPY fwportal fwportal
COPY sessions sessions
COPY workflows workflows
COPY localfireworks localfireworks
COPY templates templates
COPY static static
# The static files need no secret; these values exist in this one step only.
RUN SECRET_KEY=collectstatic FWPORTAL_FIREWORKS_URL=http://localhost:8001 FWPORTAL_DATA=/tmp/build \
    python manage.py collectstatic --noinput
USER portal
VOLUME /data
EXPOSE 8000
CMD ["uvicorn", "fwportal.asgi:application", "--host", "0.0.0.0", "--port", "8000", "--lifespan", "off", \
     "--timeout-graceful-shutdown", "10"]
