#!/bin/sh
# Brings back what backup.sh saved, into an empty database: restore.sh FOLDER
#
# Needs the variables of backup.sh, the keys that the records were written with, and the folder of the days' keys as it is now. Stop gateways and
# Rasa's workers first. Afterwards the tables are brought up to date, what is older than AFTERCARE_RETENTION_DAYS is made unreadable again, and
# the audit is checked up to the backup's end.
set -eu
umask 077
cd "$(dirname "$0")/.."
python=${AFTERCARE_GATEWAY_PYTHON:-.venv-gateway/bin/python}
folder=$(cd "${1:?"usage: restore.sh FOLDER"}" && pwd)
(cd "$folder" && sha256sum --check --quiet SHA256SUMS)
"$python" -m deploy.database restore AFTERCARE_RECORDS "$folder/records"
"$python" -m gateway migrate
"$python" -m gateway purge | head -n 3
"$python" -m gateway verify-audit --anchors "$folder/audit-head"
