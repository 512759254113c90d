#!/bin/sh
# A new implementation repo and its SQL. Needs @cdc-migrations/cli.
set -e
npx --no-install cdc init shop --pattern db-shared --ci none
npx --no-install cdc manage-migrations generate --root shop
npx --no-install cdc manage-migrations generate --root shop --check
