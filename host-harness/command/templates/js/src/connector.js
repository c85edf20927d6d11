// The connector {{NAME}}: what it is, and how it reads people. `answers.js` reads JSON safely.
//
// Everything goes through `send`, which is given a path; the host attaches the key. There is no
// clock, file or randomness. An answer that is not as expected is a failure, never an empty list.
import { send } from 'smp:connector/http@0.2.0';
import { Fault, fail, isText, json } from './answers.js';

const SIZE = 500;
const FIND_TEAM = 'Copy the last part of the address of your team page into the field Team.';
const NEW_KEY = 'As an owner of the team, open Settings > API in {{NAME}}, make a new key with the scopes team:read and people:read, and paste it into the field Key.';
const LATER = 'Nothing is wrong with your settings. Try again in a few minutes.';
const REPORT = 'Report it to the publisher of this connector: the service may have changed.';

// ---- describe: constants, the source of the listing, the form and the setup guide ---------------

const setting = (field) => ({
  pattern: null, required: true, default: null, choices: [], secret: null, attributes: [], ...field,
});
const endpoint = (path, purpose, scope) => ({
  method: 'get', path, purpose, scope, readOnly: true, when: [], requestHeaders: [], responseHeaders: [],
});

const describe = () => ({
  id: '{{ID}}',
  name: '{{NAME}}',
  version: '0.1.0',
  vendor: '{{NAME}} Example Ltd.',
  summary: 'A made-up service with teams and people. Replace this text, and every other one.',
  pricing: 'By the number of people in the team.',
  status: 'Example',
  integrationType: 'api',
  dataCollected: [{
    name: 'members',
    fields: [
      { name: 'email', description: 'The address that the person signs in with' },
      { name: 'name', description: 'The full name' },
      { name: 'role', description: 'The products that the person uses' },
      { name: 'last seen', description: 'The last time that the person used one of them' },
    ],
  }],
  permissionsRequired: ['Owner of the team, to make the key.'],
  settings: [
    setting({ key: 'team', label: 'Team', help: FIND_TEAM, placeholder: 'your-team', pattern: '[a-z0-9-]+' }),
    setting({
      key: 'key', label: 'Key', help: NEW_KEY, placeholder: 'key_…', pattern: 'key_[A-Za-z0-9]+',
      secret: {
        attachment: { tag: 'bearer' },
        prefixes: [{ prefix: 'key_', meaning: 'a key of a team', expected: true, hint: NEW_KEY }],
      },
    }),
  ],
  api: {
    base: 'https://api.{{ID}}.example',
    origins: null,
    endpoints: [
      endpoint('/v1/teams/{team}', 'Reads the name of the team', 'team:read'),
      endpoint('/v1/teams/{team}/people', 'Reads the people of the team', 'people:read'),
    ],
    rateLimit: { requests: 10, periodMs: 1000 },
  },
  setupGuide: [
    {
      title: 'Make a key',
      introduction: 'You need to be an owner of the team.',
      steps: [
        'In {{NAME}}, open **Settings > API** and choose **New key**.',
        'Tick the scopes `team:read` and `people:read`.',
        'Copy the key. It begins with `key_` and is shown once.',
      ],
    },
    { title: 'Connect', introduction: '', steps: ['Enter the **Team** and the **Key**, and have them checked.'] },
  ],
  faq: [{
    question: "Why is somebody's last activity unknown?",
    answer: 'Because that person has not signed in yet, or the service does not tell when.',
  }],
  attributes: [],
});

// ---- requests and answers -----------------------------------------------------------------------

/** The team of the settings, if it is well formed: it becomes part of a path. */
function teamOf(settings) {
  const team = settings.find((setting) => setting.key === 'team')?.value ?? '';
  if (!/^[a-z0-9-]{1,64}$/.test(team)) {
    throw new Fault('invalid-settings', 'The team is missing, or has other characters than a-z, 0-9 and -.', FIND_TEAM, 'team');
  }
  return team;
}

/** Sends a request, and returns the JSON of its answer. */
function get(path) {
  let response;
  try {
    response = send({ method: 'get', pathWithQuery: path, body: null });
  } catch (error) {
    throw unanswered(error.payload ?? error);
  }
  if (response.status !== 200) throw refused(response.status);
  return json(response.body);
}

function unanswered(error) {
  const after = error.val?.retryAfterSeconds ?? null;
  switch (error.tag) {
    case 'rate-limited': return new Fault('rate-limited', '{{NAME}} asks to come back later (429).', LATER, null, after);
    case 'unavailable': return new Fault('upstream', `{{NAME}} does not work at the moment (${error.val.status}).`, LATER, null, after);
    case 'timed-out': return new Fault('upstream', '{{NAME}} did not answer in time.', LATER);
    case 'connection-failed': return new Fault('upstream', '{{NAME}} cannot be reached.', LATER);
    case 'too-large': return new Fault('unexpected-response', 'The answer is too large.', REPORT);
    default: return new Fault('other', 'The request was not sent.', REPORT);
  }
}

function refused(status) {
  if (status === 401) return new Fault('credentials', 'The key is not accepted: it is wrong, expired or revoked (401).', NEW_KEY, 'key');
  if (status === 403) return new Fault('permission', 'The key may not read this team (403).', NEW_KEY, 'key');
  if (status === 404) return new Fault('not-found', 'There is no such team, or the key is of another one (404).', FIND_TEAM, 'team');
  return new Fault(status >= 500 ? 'upstream' : 'unexpected-response', `{{NAME}} answered with the status ${status}.`, status >= 500 ? LATER : REPORT);
}

const strange = (what) => new Fault('unexpected-response', `The answer ${what}.`, REPORT);

function account(team) {
  const answer = get(`/v1/teams/${team}`);
  if (answer?.id !== team || !isText(answer.name)) throw strange('is not about this team');
  return { id: answer.id, name: answer.name, attributes: [] };
}

/** A page of people. The cursor is the number of the page. */
function page(team, cursor) {
  const number = cursor === null ? 1 : Number(cursor);
  if (!Number.isSafeInteger(number) || number < 1) {
    throw new Fault('cursor-expired', 'The cursor is not one of this connector.', LATER);
  }
  const answer = get(`/v1/teams/${team}/people?page=${number}&size=${SIZE}`);
  const { people, total, more } = answer ?? {};
  if (!Array.isArray(people) || !Number.isSafeInteger(total) || total < 0 || typeof more !== 'boolean') {
    throw strange('is not a page of people');
  }
  return {
    products: [{ key: '{{ID}}', name: '{{NAME}}', site: null }],
    members: people.map(member),
    next: more ? String(number + 1) : null,
    total,
    notes: [],
  };
}

const STATUSES = ['active', 'invited', 'suspended'];

function member(person) {
  const { id, email = null, name, status, last_seen: seen = null } = person ?? {};
  const isOptional = (value, is) => value === null || is(value);
  if (!isText(id) || id === '' || !isText(name) || !isText(status) || !isOptional(email, isText) || !isOptional(seen, Number.isSafeInteger)) {
    throw strange('has a person that is not recognized');
  }
  const lastSeen = seen === null ? null : { seconds: seen, nanoseconds: 0 };
  const uses = status === 'active' ? [{ product: 0, lastActive: lastSeen }] : [];
  return {
    id, email, name, nickname: null,
    role: uses.length > 0 ? '{{NAME}}' : '',
    uses, lastSeen,
    status: STATUSES.includes(status) ? { tag: status } : { tag: 'other', val: status },
    kind: null, affiliation: null, billable: null, attributes: [],
  };
}

// ---- the calls ----------------------------------------------------------------------------------

function validate(settings) {
  const checks = [];
  const check = (id, title, judge) => {
    const failed = checks.some(({ outcome }) => outcome.tag !== 'passed');
    let outcome = { tag: 'skipped', val: 'A check before it failed.' };
    let value;
    if (!failed) {
      try {
        const [message, result] = judge();
        [outcome, value] = [{ tag: 'passed', val: message }, result];
      } catch (error) {
        outcome = { tag: 'failed', val: fail(error) };
      }
    }
    checks.push({ id, title, required: true, setting: null, outcome });
    return value;
  };
  const team = check('team', 'The team is named', () => ['It may be one.', teamOf(settings)]);
  check('access', 'The key is accepted', () => [`It opens the team ${account(team).id}.`]);
  check('people', 'The team has people', () => {
    const { total, members } = page(team, null);
    if (members.length === 0) throw new Fault('no-members', 'Nobody is in the team.', FIND_TEAM, 'team');
    return [`There are ${total} people.`];
  });
  return { checks, credentialExpires: null };
}

/** Runs a call that may fail: a failure of the contract is thrown as its record. */
function failing(call) {
  try {
    return call();
  } catch (error) {
    throw fail(error);
  }
}

export const connector = {
  describe,
  validate,
  connect: (settings) => failing(() => account(teamOf(settings))),
  collectMembers: (settings, cursor) => failing(() => page(teamOf(settings), cursor ?? null)),
};
