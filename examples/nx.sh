#!/bin/sh
# A new implementation repo in an Nx workspace, and its SQL. Needs nx and @cdc-migrations/nx.
set -e
npx nx generate @cdc-migrations/nx:init --no-interactive
npx nx generate @cdc-migrations/nx:implementation repos/acme --pattern=db-per-tenant --no-interactive
npx nx run acme:migrations
