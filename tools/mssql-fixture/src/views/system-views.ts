import { CDC_VIEWS } from './cdc-views.ts';
import { COLUMN_VIEWS } from './column-views.ts';
import { INFORMATION_SCHEMA_VIEWS } from './information-schema-views.ts';
import { OBJECT_VIEWS } from './object-views.ts';
import { SERVER_VIEWS } from './server-views.ts';
import type { SystemView } from './system-view.ts';

const VIEWS: readonly SystemView[] = [
  ...SERVER_VIEWS,
  ...OBJECT_VIEWS,
  ...COLUMN_VIEWS,
  ...CDC_VIEWS,
  ...INFORMATION_SCHEMA_VIEWS,
];

/** Every view, by its name in lower case. Those with rows come before those that select from them. */
export const SYSTEM_VIEWS: ReadonlyMap<string, SystemView> = new Map(
  [...VIEWS.filter((view) => !view.select), ...VIEWS.filter((view) => view.select)].map((view) => [
    view.name.toLowerCase(),
    view,
  ]),
);
