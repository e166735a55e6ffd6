// What two clients of the Node world do at the FHIR door; the result is told as JSON on one line.
// Called by test_fhir_clients.py: node fhir_clients.mjs BASE KEY OBSERVATION CLIENT SECRET
import { MedplumClient } from '@medplum/core';
import { Client } from 'fhir-kit-client';

const [base, key, text, clientId, secret] = process.argv.slice(2);
const SYSTEM = 'urn:north:result';

// Each name has a draw of its own, so that none looks like another's twin
const draws = new Map();

function drawnAt(name) {
  const hours = 5 * 24 + draws.size;
  if (!draws.has(name)) draws.set(name, new Date(Date.now() - hours * 3600_000).toISOString());
  return draws.get(name);
}

function observation(value, number = 37.5, more = {}) {
  const plain = JSON.parse(text);
  return {
    ...plain,
    identifier: [{ system: SYSTEM, value }],
    effectiveDateTime: drawnAt(value),
    valueQuantity: { ...plain.valueQuantity, value: number },
    ...more,
  };
}

const later = { issued: new Date().toISOString() };

function bundle(...values) {
  return {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: values.map((value) => ({
      resource: observation(value),
      request: { method: 'POST', url: 'Observation', ifNoneExist: `identifier=${SYSTEM}|${value}` },
    })),
  };
}

async function refusal(what) {
  try {
    await what();
  } catch (fault) {
    return fault.response?.status ?? fault.outcome?.issue?.[0]?.code ?? String(fault);
  }
  return 'taken';
}

async function kit() {
  const client = new Client({ baseUrl: base, bearerToken: key });
  const name = 'kit-1';
  const resourceType = 'Observation';
  const made = await client.create({ resourceType, body: observation(name) });
  const known = await client.create({
    resourceType,
    body: observation(name, 40.1),
    options: { headers: { 'If-None-Exist': `identifier=${SYSTEM}|${name}` } },
  });
  const corrected = await client.update({
    resourceType,
    searchParams: { identifier: `${SYSTEM}|${name}` },
    body: observation(name, 41.5, later),
  });
  const read = await client.read({ resourceType, id: made.id });
  const history = await client.history({ resourceType, id: made.id });
  const found = await client.search({
    resourceType,
    searchParams: { identifier: `${SYSTEM}|${name}` },
  });
  const told = await client.transaction({ body: bundle('kit-2', 'kit-3') });
  const statement = await client.capabilityStatement();
  const refused = await refusal(() =>
    client.create({ resourceType, body: { ...observation('kit-4'), status: 'F' } }),
  );
  return {
    same: [known.id, corrected.id, read.id].every((id) => id === made.id),
    known: known.valueQuantity.value,
    corrected: [corrected.status, read.valueQuantity.value],
    versions: history.entry.length,
    found: found.total,
    bundle: told.entry.map((each) => each.response.status),
    fhirVersion: statement.fhirVersion,
    refused,
  };
}

async function medplum() {
  const client = new MedplumClient({ baseUrl: base.replace(/fhir$/, ''), fhirUrlPath: 'fhir', fetch });
  await client.startClientLogin(clientId, secret);
  const name = 'medplum-1';
  const made = await client.createResource(observation(name));
  const known = await client.createResourceIfNoneExist(
    observation(name, 40.1),
    `identifier=${SYSTEM}|${name}`,
  );
  const corrected = await client.upsertResource(
    observation(name, 41.5, later),
    `identifier=${SYSTEM}|${name}`,
  );
  const again = await client.updateResource({
    ...observation(name, 42.5, { issued: new Date(Date.now() + 1000).toISOString() }),
    id: made.id,
  });
  const read = await client.readResource('Observation', made.id, { cache: 'reload' });
  const history = await client.readHistory('Observation', made.id);
  const told = await client.executeBatch(bundle('medplum-2', 'medplum-3'));
  const refused = await refusal(() =>
    client.createResource({ ...observation('medplum-4'), status: 'F' }),
  );
  const parked = await client.createResource({
    ...observation('medplum-5'),
    subject: { identifier: { system: 'urn:clinic:mrn', value: 'nobody' } },
  });
  return {
    same: [known.id, corrected.id, again.id, read.id].every((id) => id === made.id),
    known: known.valueQuantity.value,
    corrected: [corrected.status, read.valueQuantity.value],
    versions: history.entry.length,
    bundle: told.entry.map((each) => each.response.status),
    refused,
    parked: [typeof parked.id, parked.meta.tag[0].code],
  };
}

console.log(JSON.stringify({ kit: await kit(), medplum: await medplum() }));
