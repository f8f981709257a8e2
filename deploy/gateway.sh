#!/bin/sh
# Runs a command of the gateway with its user, settings and secrets, as root: gateway.sh migrate, gateway.sh staff "Name" --role admin
set -eu
exec systemd-run --quiet --pipe --wait --collect --working-directory=/opt/aftercare \
    --property=User=aftercare-gateway --property=Group=aftercare --property=UMask=0077 \
    --property=EnvironmentFile=/etc/aftercare/gateway.env \
    --property=LoadCredential=AFTERCARE:/etc/aftercare/secrets/gateway \
    /opt/aftercare/.venv-gateway/bin/python -m gateway "$@"
