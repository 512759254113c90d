#!/bin/sh
# A new implementation repo and its SQL. Needs @cdc-migrations/cli.
set -e
npx cdc init shop --pattern db-shared --ci none
npx cdc manage-migrations generate --root shop
npx cdc manage-migrations generate --root shop --check
