import { h } from '../src/dom.ts';
import { TryPanel } from './try.ts';

interface Version { name: string; version: string; build: string; models: { name: string; version: string; files: { name: string; sha256: string }[] }[] }

const at = (id: string) => document.getElementById(id)!;

async function ask<T>(path: string): Promise<T | null> {
  try {
    const answer = await fetch(path, { credentials: 'omit', cache: 'no-store' });
    return answer.ok ? ((await answer.json()) as T) : null;
  } catch {
    return null;
  }
}

async function answers(path: string): Promise<number> {
  try {
    return (await fetch(path, { method: 'GET', credentials: 'omit', cache: 'no-store' })).status;
  } catch {
    return 0;
  }
}

async function health(): Promise<void> {
  const [alive, ready] = await Promise.all([answers('/healthz'), answers('/readyz')]);
  const line = at('health');
  line.className = ready === 200 ? 'ready' : 'down';
  line.textContent = ready === 200 ? 'Ready' : alive === 200 ? 'Running, but not ready: see the log' : 'Does not answer';
}

async function version(): Promise<void> {
  const known = await ask<Version>('/version');
  if (!known) return at('networks').replaceChildren(h('p', {}, 'The service does not say which networks it has.'));
  at('build').textContent = `${known.version}${known.build !== 'unknown' ? `, build ${known.build}` : ''}`;
  const groups = known.models.map((model) => h('tbody', {}, ...model.files.map((file, i) => h('tr', {},
    i === 0 && h('th', { scope: 'rowgroup', rowspan: String(model.files.length) }, `${model.name} ${model.version}`),
    h('td', { class: 'name' }, file.name),
    h('td', {}, h('code', { title: file.sha256 }, file.sha256.slice(0, 8)))))));
  at('networks').replaceChildren(h('table', {}, ...groups), h('p', { class: 'small' }, 'The first digits of each file’s SHA-256.'));
}

async function tryIt(): Promise<void> {
  const answer = await ask<{ data: { enabled: boolean } }>('/try');
  if (answer?.data.enabled) new TryPanel(at('try-body'));
  else {
    at('try').classList.add('off');
    at('try-body').replaceChildren(h('p', {}, 'This panel works on the machine that the service runs on, not from elsewhere, and only where the service listens to that machine alone and its key try_it is true.'));
  }
}

const command = `curl -s \\
  ${location.origin}/v1/capture-sessions \\
  -H 'Authorization: Bearer <API token>' \\
  -H 'Content-Type: application/json' \\
  -d '{}'`;
at('command').textContent = command;
at('copy').addEventListener('click', () => {
  // Not on a page that came over http from another machine.
  const copied = navigator.clipboard?.writeText(command) ?? Promise.reject(new Error('no clipboard'));
  copied.then(() => { at('copy').textContent = 'Copied'; }, () => getSelection()?.selectAllChildren(at('command')));
});

void health();
void version();
void tryIt();
void answers('/docs').then((status) => { at('docs').hidden = status !== 200; });
