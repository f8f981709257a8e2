# The gateway: what faces the internet. Build from the project's root, after `make setup` has built the widget.
FROM python:3.12-slim
RUN apt-get update && apt-get install --yes --no-install-recommends postgresql-client && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/aftercare
COPY requirements/gateway.txt requirements/
RUN python -m venv .venv-gateway && .venv-gateway/bin/pip install --no-cache-dir --require-hashes --requirement requirements/gateway.txt
COPY aftercare aftercare
COPY clinical clinical
COPY languages languages
COPY gateway gateway
COPY deploy deploy
COPY protocols protocols
COPY readers readers
COPY vault vault
COPY widget/pages widget/pages
COPY widget/strings widget/strings
COPY widget/dist widget/dist
RUN useradd --system --uid 10001 aftercare && install -d -m 0700 -o aftercare /srv/aftercare-day-keys
USER aftercare
ENV PYTHONUNBUFFERED=1 AFTERCARE_GATEWAY_HOST=0.0.0.0
CMD [".venv-gateway/bin/python", "-m", "gateway", "serve"]
