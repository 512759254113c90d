import type { Server } from '@cdc-migrations/config';
import { InvalidPortError, MissingVariablesError, resolveServer } from './resolve-server.ts';

const server: Server = {
  at: { file: 'source-groups.yaml', keys: ['adopus', 'servers', 'prod'] },
  name: 'prod',
  host: '${HOST}.${DOMAIN}',
  port: '${PORT}',
  user: 'cdc',
  password: '${PASSWORD}',
  caFile: '${DIR}/ca.pem',
  encrypt: true,
};
const env = {
  HOST: 'db',
  DOMAIN: 'local',
  PORT: '01433',
  PASSWORD: '$& ${HOST} hunter2',
  DIR: '.',
};

function errorOf(variables: Readonly<Record<string, string | undefined>>): unknown {
  try {
    return resolveServer(server, variables);
  } catch (error) {
    return error;
  }
}

it('replaces each variable once, and does not expand variables in its value', () => {
  expect(resolveServer(server, env)).toEqual({
    name: 'prod',
    host: 'db.local',
    port: 1433,
    user: 'cdc',
    password: '$& ${HOST} hunter2',
    caFile: './ca.pem',
    encrypt: true,
  });
});

it('accepts an empty password, but no other empty value', () => {
  expect(resolveServer(server, { ...env, PASSWORD: '' }).password).toBe('');
  const error = errorOf({ ...env, HOST: '', DIR: '' });
  expect(error).toMatchObject({ names: ['HOST', 'DIR'] });
});

it('reports all missing variables at once', () => {
  const error = errorOf({ PASSWORD: 'hunter2' });
  expect(error).toBeInstanceOf(MissingVariablesError);
  expect(error).toMatchObject({ names: ['HOST', 'DOMAIN', 'PORT', 'DIR'], server });
  expect((error as Error).message).toBe(
    'server "prod" of adopus (source-groups.yaml) needs HOST, DOMAIN, PORT, DIR; set them in the environment',
  );
});

it.each(['0', '65536', '-1', '1433.5', '1e3', '0x10', 'hunter2', ' 1433'])(
  'refuses the port %j without printing it',
  (PORT) => {
    const error = errorOf({ ...env, PORT });
    expect(error).toBeInstanceOf(InvalidPortError);
    expect((error as Error).message).toBe(
      'server "prod" of adopus (source-groups.yaml): ${PORT} gives no port; expected a number from 1 to 65535',
    );
  },
);
