#!/bin/sh
# Saves the records and Rasa's conversations into a new folder: backup.sh FOLDER
#
# AFTERCARE_RECORDS   the records' address, as the gateway has it
# AFTERCARE_TRACKERS  the address of Rasa's conversations, of the same form
#
# The keys (AFTERCARE_MASTER_KEY, AFTERCARE_AUDIT_KEY) are not in it: without them nobody can read what is. Keep them elsewhere.
# The records are saved first, so that Rasa's conversations never lack what the records know.
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
"$python" -m deploy.database save AFTERCARE_TRACKERS "$part/trackers"
(cd "$part" && sha256sum audit-head records trackers > SHA256SUMS)
mv "$part" "$folder"
