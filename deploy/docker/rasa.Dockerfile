# Rasa's workers, and action servers where there are any: never on a network that patients reach. Build from the project's root, after `make train`.
FROM python:3.10-slim
WORKDIR /opt/aftercare
COPY requirements/rasa.txt requirements/
RUN python -m venv .venv-rasa && .venv-rasa/bin/pip install --no-cache-dir --require-hashes --requirement requirements/rasa.txt
COPY actions actions
COPY aftercare aftercare
COPY clinical clinical
COPY languages languages
COPY encoder encoder
COPY protocols protocols
COPY rasa_ext rasa_ext
COPY readers readers
COPY vault vault
COPY credentials.yml credentials.yml
COPY deploy/rasa deploy/rasa
COPY models/aftercare.tar.gz models/aftercare.tar.gz
RUN useradd --system --uid 10002 --create-home aftercare
USER aftercare
ENV PYTHONUNBUFFERED=1 PYTHONPATH=/opt/aftercare RASA_TELEMETRY_ENABLED=false LOG_LEVEL=WARNING TF_CPP_MIN_LOG_LEVEL=3 OMP_NUM_THREADS=1
CMD [".venv-rasa/bin/python", "-m", "rasa_ext.start", "run", "-i", "0.0.0.0", "--port", "5005", "--model", "models/aftercare.tar.gz", \
     "--endpoints", "deploy/rasa/endpoints.yml", "--credentials", "credentials.yml"]
