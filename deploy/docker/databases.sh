#!/bin/sh
# Makes the two databases, each with a user of its own, when the volume is new.
set -eu
make() {
    psql --username postgres --set name="$1" --set password="$2" <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
SQL
}
make aftercare_records "${AFTERCARE_RECORDS_PASSWORD:?is not set}"
make aftercare_trackers "${AFTERCARE_TRACKERS_PASSWORD:?is not set}"
