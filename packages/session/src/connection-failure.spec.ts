import {
  demandsEncryption,
  findConnectionFailure,
  findSystemError,
  type ConnectionFailure,
} from './connection-failure.ts';

it.each<[string, ConnectionFailure | undefined]>([
  ['ECONNREFUSED', 'refused'],
  ['EAI_AGAIN', 'lookup failed'],
  ['CONNECT_TIMEOUT', 'timeout'],
  ['CONNECTION_CLOSED', 'lost'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'encryption failed'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'untrusted certificate'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'untrusted certificate'],
  ['CERT_HAS_EXPIRED', 'untrusted certificate'],
  ['28P01', undefined],
  ['toString', undefined],
])('classifies %s as %s', (code, failure) => {
  expect(findConnectionFailure(code)).toBe(failure);
});

it('finds the innermost error with a code, in causes and in aggregate errors', () => {
  const system = Object.assign(new Error('connect ECONNREFUSED ::1:5432'), {
    code: 'ECONNREFUSED',
  });
  const driver = Object.assign(new Error('no'), { code: 'ESOCKET', cause: system });
  expect(findSystemError(driver)).toEqual({ code: 'ECONNREFUSED', message: system.message });
  expect(findSystemError(new AggregateError([new Error('no'), system]))?.code).toBe('ECONNREFUSED');
  expect(findSystemError(AbortSignal.abort().reason)?.code).toBe('ABORT_ERR');
  expect(findSystemError(new Error('no'))).toBeUndefined();
  expect(findSystemError('no')).toBeUndefined();
});

it.each([
  ['no pg_hba.conf entry for host "10.0.0.1", user "cdc", database "crm", no encryption', true],
  ['no pg_hba.conf entry for host "10.0.0.1", user "cdc", database "crm", SSL off', true],
  ['password authentication failed for user "cdc"', false],
])('%s demands encryption: %s', (message, demanded) => {
  expect(demandsEncryption(message)).toBe(demanded);
});
