#!/bin/sh
# Saves the records into a new folder: backup.sh FOLDER
#
# AFTERCARE_RECORDS   the records' address, as the gateway has it
#
# No key is in it, neither AFTERCARE_MASTER_KEY and AFTERCARE_AUDIT_KEY nor the days' keys: without them nobody can read what is. Keep the
# first two elsewhere, and mirror the folder of the days' keys, as docs/operating.md says. Rasa's conversations are not in it: they go on from
# the records.
set -eu
umask 077
cd "$(dirname "$0")/.."
python=${AFTERCARE_GATEWAY_PYTHON:-.venv-gateway/bin/python}
folder=${1:?"usage: backup.sh FOLDER"}
if [ -e "$folder" ]; then
    echo "$folder is there already; name a new folder." >&2
    exit 1
fi
part="$folder.part"
rm -rf "$part"
mkdir -p "$part"
"$python" -m gateway audit-head > "$part/audit-head"
"$python" -m deploy.database save AFTERCARE_RECORDS "$part/records"
(cd "$part" && sha256sum audit-head records > SHA256SUMS)
mv "$part" "$folder"
