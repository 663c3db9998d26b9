'use strict';
const $ = id => document.getElementById(id);
const SVG = 'http://www.w3.org/2000/svg';
const PHASES = ['in-service', 'leased', 'standby', 'upgrading', 'installing', 'draining', 'stopping', 'ready', 'creating', 'pending-reset', 'resetting', 'deleting', 'recovering', 'failed', 'lost'];
const LEDGER = ['spent', 'topped_up', 'received', 'burned', 'swept', 'discarded', 'given_away'];
const EVERY_MS = 3000, EVENTS_KEPT = 2000, SAMPLES_KEPT = 1200, SHOWN = 25;
const self = new URLSearchParams(location.search).get('canisterId');

/** An element: name with classes, attributes, children; texts are only ever texts. */
function el(name, attributes, ...children) {
  const [tag, ...classes] = name.split('.');
  const node = document.createElement(tag);
  if (classes.length) node.className = classes.join(' ');
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
    else if (value !== null && value !== false) node.setAttribute(key, value);
  }
  node.append(...children.filter(it => it !== null && it !== undefined && it !== ''));
  return node;
}
function fill(node, ...children) { node.replaceChildren(...children); }
function put(node, text) { if (node.textContent !== text) node.textContent = text; }

const number = new Intl.NumberFormat('en');
const count = it => number.format(it);
function cycles(text) {
  if (text === null) return '';
  const amount = Number(text);
  for (const [unit, name] of [[1e12, 'T'], [1e9, 'B'], [1e6, 'M']]) {
    if (Math.abs(amount) >= unit) return `${(amount / unit).toFixed(amount >= 100 * unit ? 0 : amount >= 10 * unit ? 1 : 2)} ${name}`;
  }
  return count(amount);
}
function span(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} m ${s % 60} s`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor(s % 3600 / 60)} m`;
  return `${Math.floor(s / 86400)} d ${Math.floor(s % 86400 / 3600)} h`;
}
const ago = ns => span((state.now - ns) / 1e9);
const clock = ns => new Date(ns / 1e6).toLocaleTimeString('en-GB');
const moment = ns => new Date(ns / 1e6).toLocaleString();
const said = reason => reason.text.replace(/until (\d+) s$/, (_, s) => `until ${clock(s * 1e9)}`);
/** `PendingReset` as `pending-reset`, which is how the vocabulary spells it. */
const word = name => name && name.replace(/\B[A-Z]/g, '-$&').toLowerCase();
const spelt = lines => lines.map(it => ({ ...it, phase: word(it.phase) }));
const why = reason => el('span', { title: `${reason.code} ${reason.name}` }, said(reason));

async function ask(path, fields) {
  const query = new URLSearchParams(fields || {});
  if (self) query.set('canisterId', self);
  const response = await fetch(`/live/${path}?${query}`, { cache: 'no-store' });
  const body = await response.json();
  if (!response.ok) throw Object.assign(new Error(body.error || `status ${response.status}`), { status: response.status });
  return body;
}

const state = { now: 0, seen: 0, held: false, events: [], newest: 0, samples: {}, plans: {}, whys: {}, after: null, last: null, shown: SHOWN, open: new Set() };

async function refresh() {
  const overview = await ask('status');
  state.now = overview.now;
  state.seen = Date.now();
  remember(overview);
  const changed = overview.newest_event !== state.newest;
  const closed = overview.visibility === 'operators';
  $('open').hidden = closed;
  if (!closed && changed) await events(overview.newest_event);
  draw(overview);
  if (!closed && (changed || state.rows === undefined)) await rows();
  if (!closed && $('journal').open) await effects();
}

/** Events since the last look; at the first look as many as a time line can use. */
async function events(newest) {
  let after = state.newest || Math.max(0, newest - 1000);
  while (after < newest) {
    const page = await ask('events', { after });
    if (!page.events.length) break;
    state.events.push(...spelt(page.events));
    after = page.events[page.events.length - 1].number;
  }
  state.newest = after;
  state.events.splice(0, state.events.length - EVENTS_KEPT);
  drawEvents();
}

function remember({ now, status }) {
  for (const pool of status.pools) {
    const samples = state.samples[pool.name] ||= [];
    samples.push({ at: now, desired: pool.desired, serving: pool.in_service, load: pool.load });
    samples.splice(0, samples.length - SAMPLES_KEPT);
  }
}

function draw(overview) {
  const { status } = overview;
  drawFields(status);
  status.phases = status.phases.map(([name, n]) => [word(name), n]);
  document.title = `${status.name || 'Hatchery'}: ${phase(status, 'in-service')} in service`;
  put($('name'), status.name || 'no spec yet');
  put($('which'), `spec ${status.generation} · root ${status.incarnation} · hatchery ${overview.version}`);
  const sick = overview.health.length > 0;
  put($('health'), sick ? 'needs a look' : 'healthy');
  $('health').className = `badge ${sick ? 'bad' : 'good'}`;
  put($('alarm'), overview.health.join('\n'));
  $('paused').hidden = !status.paused;
  drawTiles(overview);
  drawPhases(status);
  drawPools(status);
  drawWarm(overview);
}

const phase = (status, name) => (status.phases.find(it => it[0] === name) || [0, 0])[1];

function drawTiles(overview) {
  const { status } = overview;
  const total = status.phases.reduce((sum, it) => sum + it[1], 0);
  const flying = status.effects.reduce((sum, it) => sum + it[1], 0);
  const spare = Number(overview.liquid) - Number(overview.reserve);
  const left = status.funding.hours_left;
  const wake = status.next_wake === null ? 'at the watchdog' : `in ${span((status.next_wake - overview.now) / 1e9)}`;
  const tile = (name, value, more) => [el('dt', null, name), el('dd', { 'data-tile': name }, value, el('small', null, more))];
  fill($('tiles'), ...[
    tile('In service', count(phase(status, 'in-service')), `${count(status.pools.reduce((sum, it) => sum + it.desired, 0))} desired`),
    tile('Ready', count(phase(status, 'ready')), `${status.warm_minimum} to ${status.warm_maximum} wanted`),
    tile('Canisters', count(total), `${count(phase(status, 'failed'))} failed, ${count(phase(status, 'lost'))} lost`),
    tile('In flight', count(flying), status.effects.map(([kind, n]) => `${n} ${kind}`).join(', ') || 'nothing'),
    tile('Root\u2019s cycles', cycles(status.cycles), `${count(Math.round(Number(status.cycles) / 1e12))} XDR, ${cycles(overview.reserve)} in reserve`),
    tile('To spend', cycles(Math.max(0, spare)), left === null ? 'how long is not known' : `lasts ${span(left * 3600)}`),
    tile('Next look', wake, `${count(overview.newest_event)} events, ${count(status.lost_creations)} lost creations`),
  ].map(parts => el('div', null, ...parts)));
}

function drawPhases(status) {
  const there = PHASES.map(name => [name, phase(status, name)]).concat(status.phases.filter(it => !PHASES.includes(it[0]))).filter(it => it[1] > 0);
  const color = name => PHASES.includes(name) ? `p-${name}` : 'p-other';
  $('bar').setAttribute('aria-label', there.map(it => it.join(' ')).join(', ') || 'no canisters');
  fill($('bar'), ...there.map(([name, n]) => {
    const part = el(`i.${color(name)}`);
    part.style.flexGrow = n;
    return part;
  }));
  fill($('legend'), ...there.map(([name, n]) => el('li', null, el(`i.${color(name)}`), `${name} ${count(n)}`)));
  const select = $('phase');
  if (select.options.length === 1) select.append(...status.phases.map(([name]) => el('option', null, name)));
}

function chips(reasons) {
  return el('ul.chips', null, ...reasons.map(reason => el('li', null, why(reason))));
}

function drawPools(status) {
  if (!status.pools.length) return fill($('pools'), el('p.dim', null, 'The spec has no worker pool.'));
  const focus = document.activeElement && document.activeElement.id;
  fill($('pools'), ...status.pools.map(pool => el('div.card', null,
    el('div.head', null, el('h3', null, pool.name), el('span.dim', null, `role ${pool.role}`)),
    el('div.big', null, count(pool.in_service), el('small', null, ` in service, ${count(pool.desired)} desired, ${pool.min} to ${pool.max}`)),
    line(pool),
    el('div.facts', null,
      el('span', null, `load ${count(pool.load)}`),
      pool.in_service ? el('span', null, `${(pool.load / pool.in_service).toFixed(1)} each`) : '',
      ...['installing', 'standby', 'leased', 'upgrading', 'draining'].map(name => el(pool[name] ? 'span' : 'span.dim', null, `${count(pool[name])} ${name}`)),
      el(pool.work_cut ? 'span.warn' : 'span.dim', null, `${count(pool.work_cut)} cut`)),
    rollout(pool),
    chips(pool.reasons),
    $('open').hidden ? null : el('p.plan', null, el('button', { id: `plan-${pool.name}`, onclick: () => plan(pool.name) }, 'What next?'), ' ', state.plans[pool.name] || ''))));
  if (focus && focus.startsWith('plan-')) $(focus)?.focus();
}

/** How far a pool is on its way to another module, and whether it goes on. */
function rollout({ rollout: it, reasons, upgrading, name }) {
  if (!it || !it.left && !upgrading) return null;
  const stopped = reasons.some(reason => reason.name === 'upgrade-stopped');
  const all = it.done + it.left;
  return el('div.roll', { role: 'group', 'aria-label': `rollout of ${name}` },
    el('div.facts', null, el(stopped ? 'b.bad' : 'b', null, stopped ? 'Rollout stopped' : 'Rollout'),
      el('span', null, `to `, el('span.mono', { title: it.module }, `${it.module.slice(0, 12)}\u2026`), ` for ${ago(it.since)}`),
      el('span', null, `${count(it.done)} of ${count(all)} done`), el('span', null, `${count(upgrading)} under way`),
      el(it.failures ? 'span.bad' : 'span.dim', null, `${count(it.failures)} failed`)),
    el('progress', { max: all || 1, value: it.done, 'aria-label': `${it.done} of ${all} done` }));
}

async function plan(pool) {
  const next = await ask('plan', { pool }).catch(error => ({ error: error.message }));
  const parts = next.error ? [next.error] : Object.entries(next)
    .filter(([name, it]) => name !== 'reasons' && Array.isArray(it) && it.length).map(([name, it]) => `${name} ${it.join(', ')}`);
  if (next.unmet) parts.push(`${next.unmet} more wanted than are ready`);
  state.plans[pool] = `at ${clock(state.now)}: ${parts.join('; ') || 'nothing'}`;
  await refresh();
}

/** Members in service over time: back from now through the events, then what this page saw. */
function history(pool, since) {
  const phases = {}, steps = [];
  for (const event of state.events) {
    if (event.pool !== pool.name || !event.canister) continue;
    const before = phases[event.canister];
    phases[event.canister] = event.phase;
    if (event.phase === 'in-service' && before !== 'in-service') steps.push([event.at, 1]);
    else if (event.phase !== 'in-service' && (before === 'in-service' || before === undefined && event.phase === 'draining')) steps.push([event.at, -1]);
  }
  let level = pool.in_service;
  const points = [[state.now, level]];
  for (const [at, change] of steps.reverse()) {
    if (at < since) break;
    points.push([at, level], [at, Math.max(0, level -= change)]);
  }
  points.push([since, Math.max(0, level)]);
  return points.reverse();
}

function line(pool) {
  const width = 400, height = 110, base = height - 16;
  const samples = state.samples[pool.name];
  const first = state.events.length ? state.events[0].at : state.now;
  const since = Math.max(state.now - 1.8e12, Math.min(first, samples[0].at, state.now - 6e10));
  const serving = history(pool, since);
  const [low, high] = [Math.min(...serving.map(it => it[1])), Math.max(...serving.map(it => it[1]))];
  const top = Math.max(1, high, ...samples.map(it => it.desired)) * 1.1;
  const heavy = Math.max(1, ...samples.map(it => it.load));
  const x = at => ((at - since) / (state.now - since) * width).toFixed(1);
  const y = (value, most) => (base - value / most * (base - 6)).toFixed(1);
  const svg = document.createElementNS(SVG, 'svg');
  const add = (name, attributes, text) => {
    const node = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    if (text) node.textContent = text;
    svg.append(node);
  };
  const seen = samples.filter(it => it.at >= since);
  svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', `${pool.name}: ${pool.in_service} in service, ${pool.desired} desired, from ${low} to ${high} since ${clock(since)}`);
  if (seen.length > 1) {
    add('path', { class: 'load', d: `M${x(seen[0].at)},${base}${seen.map(it => `L${x(it.at)},${y(it.load, heavy)}`).join('')}V${base}Z` });
    add('path', { class: 'desired', d: 'M' + seen.flatMap((it, i) => i ? [`${x(it.at)},${y(seen[i - 1].desired, top)}`, `${x(it.at)},${y(it.desired, top)}`] : [`${x(it.at)},${y(it.desired, top)}`]).join('L'), 'vector-effect': 'non-scaling-stroke' });
  }
  add('path', { class: 'axis', d: `M0,${base}H${width}` });
  add('path', { class: 'serving', d: 'M' + serving.map(it => `${x(it[0])},${y(it[1], top)}`).join('L'), 'vector-effect': 'non-scaling-stroke' });
  return el('div', null, svg, el('div.facts.dim', null, el('span', null, clock(since)), el('span.grow'), el('span', null, `${low} to ${high} in service`), el('span.grow'), el('span', null, clock(state.now))));
}

function drawWarm(overview) {
  const { status } = overview;
  fill($('warm'),
    el('div.card', null, el('h3', null, 'Warm pool'),
      el('div.big', null, count(phase(status, 'ready')), el('small', null, ` ready, ${status.warm_minimum} to ${status.warm_maximum} wanted`)),
      el('div.facts', null, ...['creating', 'pending-reset', 'resetting', 'deleting', 'failed'].map(name => el(!phase(status, name) ? 'span.dim' : name === 'failed' ? 'span.bad' : 'span', null, `${count(phase(status, name))} ${name}`))),
      el('div.facts.dim', null, el('span', null, `${count(overview.pool.missing)} to buy`),
        el('span', null, overview.pool.oldest_wait === null ? 'nothing waits' : `the oldest waits for ${span(overview.pool.oldest_wait / 1e9)}`),
        el('span', null, `${count(overview.pool.operations_in_progress)} operations under way`)),
      el('div.facts.dim', null, ...['lost', 'discarded', 'given_away'].map(name => el('span', null, `${cycles(overview.pool[`${name}_cycles`])} cycles ${name.replace('_', ' ')}`))),
      chips(overview.pool.maintenance_paused ? [status.warm_reason, overview.pool.maintenance_paused] : [status.warm_reason])),
    el('div.card', null, el('h3', null, 'Lanes'), el('table', null, el('thead', null, el('tr', null, el('th', null, 'Lane'), el('th', null, 'In flight'), el('th', null, 'Width'), el('th', null, 'Open'))),
      el('tbody', null, ...overview.pool.lanes.map(it => el('tr', null, el('td', null, it.name), el('td', null, count(it.in_flight)), el('td', null, count(it.width)), el('td', null, count(it.open)))),
        el('tr', null, el('td', null, 'calls'), el('td', null, count(overview.calls)), el('td'), el('td'))))),
    drawCycles(status),
    el('div.card', null, el('h3', null, 'Modules'), el('table', null, el('thead', null, el('tr', null, el('th', null, 'Module'), el('th', null, 'Bytes'), el('th', null, 'State'))),
      el('tbody', null, ...status.modules.map(it => el('tr', null, el('td.mono', { title: it.module }, `${it.module.slice(0, 12)}…`), el('td', null, count(it.bytes)),
        el('td', null, it.installable ? 'installable' : it.committed ? 'not yet in the chunk store' : 'staging')))))));
}

/** What is paid to keep the fleet alive, and where cycles went. */
function drawCycles({ funding, ledger }) {
  const day = it => it === null ? 'not known yet' : `${cycles(it)} a day`;
  return el('div.card', null, el('h3', null, 'Cycles'),
    el('div.big', null, cycles(funding.paid_today), el('small', null, ` topped up today, ${count(funding.needy)} wait`)),
    el('div.facts', null, el('span', null, `root burns ${day(funding.own_burn)}`), ...funding.burn.map(([role, it]) => el('span', null, `${role} ${day(it)}`))),
    el('div.facts.dim', null, ...LEDGER.map(name => el('span', null, `${cycles(ledger[name])} ${name.replace('_', ' ')}`))),
    chips([funding.reason]));
}

/** Why a member is where it is, as root tells it now. */
async function whyOf(row) {
  const why = await ask('why', { pool: row.pool, canister: row.canister, limit: 1 }).catch(() => null);
  const member = why && why.members.find(it => it.row.canister === row.canister);
  if (!member) return;
  const left = member.protected_until === null ? [] : [`asked to be spared until ${clock(member.protected_until)}`];
  const turn = member.victim === null ? 'would not leave now' : member.victim ? `${count(member.victim)} would leave before it` : 'would leave first';
  state.whys[row.canister] = [`its pool wants ${count(why.desired)}: ${why.reasons.map(said).join(', ')}`, member.spared ? `stays: ${said(member.spared)}` : turn, ...left];
  drawRows();
}

async function rows() {
  const fields = { limit: SHOWN };
  if ($('phase').value) fields.phase = $('phase').value;
  if (state.after) fields.after = state.after;
  const page = await ask('canisters', fields);
  state.rows = spelt(page.rows);
  state.last = page.next;
  $('next').disabled = !page.next;
  $('first').disabled = !state.after;
  drawRows();
}

function drawRows() {
  const cell = (label, name, ...children) => el(`td${name}`, label ? { 'data-l': label } : null, ...children);
  const body = $('rows').tBodies[0];
  const focus = document.activeElement && document.activeElement.id;
  fill(body, ...state.rows.flatMap(row => {
    const open = state.open.has(row.canister);
    const toggle = () => { open ? state.open.delete(row.canister) : state.open.add(row.canister); drawRows(); if (!open && row.pool) whyOf(row); };
    const line = el('tr', null,
      cell('', '.mono', el('button.plain.mono', { id: `row-${row.canister}`, 'aria-expanded': open, onclick: toggle }, row.canister)),
      cell('', '.no', el(`span.dot.p-${row.phase}`), row.phase),
      cell('since', '.no', ago(row.since)),
      cell('pool', '', row.pool || ''),
      cell('load', '', row.load === null ? '' : count(row.load)),
      cell('cycles', '.no', row.cycles === null ? '' : el('span', { title: `seen ${ago(row.cycles_at)} ago` }, cycles(row.cycles))),
      cell('', '.full.wide', why(row.reason)),
      cell('effect', '', row.effect || ''));
    if (!open) return [line];
    const held = row.holder ? [`held by ${row.holder}`, `lease ends ${moment(row.leased_until)}`] : [];
    const facts = [...held, ...state.whys[row.canister] || [], `role ${row.role || 'none'}`, `generation ${row.generation}`, `attempts ${row.attempts}`, `known since ${moment(row.created_at)}`,
      row.cycles_at === null ? 'cycles never seen' : `cycles seen ${ago(row.cycles_at)} ago`, `module ${row.module || 'none'}`];
    return [line, el('tr', null, el('td.full.wide', { colspan: 8 }, el('div.facts.dim', null, ...facts.map(it => el('span', null, it)))))];
  }));
  if (!state.rows.length) fill(body, el('tr', null, el('td.dim', { colspan: 8 }, state.last ? 'None on this page; there are more.' : 'None.')));
  if (focus && focus.startsWith('row-')) $(focus)?.focus();
}

function drawEvents() {
  const wanted = $('filter').value.toLowerCase();
  const lines = state.events.filter(it => !wanted || [it.canister, it.pool, it.phase, it.reason.text].join(' ').toLowerCase().includes(wanted)).reverse();
  $('older').disabled = lines.length <= state.shown;
  fill($('events').tBodies[0], ...lines.slice(0, state.shown).map(event => el('tr', null,
    el('td.no', { title: `${event.number}, ${moment(event.at)}` }, clock(event.at)),
    el('td.mono.no', null, event.canister || ''),
    el('td', null, event.pool || ''),
    el('td.no', null, event.phase ? el(`span.dot.p-${event.phase}`) : '', event.phase || (event.canister ? 'gone' : '')),
    el('td.full.wide', null, why(event.reason)))));
}

async function effects() {
  const page = await ask('effects', { limit: 50 });
  fill($('effects').tBodies[0], ...page.map(it => el('tr', null, el('td', null, it.id), el('td', null, it.kind), el('td.mono', null, it.canister || ''), el('td.no', null, ago(it.started_at)), el('td', null, it.incarnation))));
}

/** Every field by its path, as it came: what the rest of the page shows in a nicer way. */
function drawFields(status) {
  if (!$('raw').open) return;
  const lines = [];
  const walk = (path, value) => {
    if (value !== null && typeof value === 'object') Object.entries(value).forEach(([key, it]) => walk(path ? `${path}.${key}` : key, it));
    else lines.push(el('tr', null, el('td.mono', null, path), el('td.wide', { 'data-path': path }, String(value))));
  };
  walk('', status);
  fill($('fields').tBodies[0], ...lines);
}

let timer = 0;
async function turn() {
  clearTimeout(timer);
  try {
    await refresh();
    state.error = null;
  } catch (error) {
    state.error = error.message;
    put($('alarm'), `Root does not answer: ${error.message}. Trying again.`);
  }
  if (!state.held && !document.hidden) timer = setTimeout(turn, EVERY_MS);
}

function hold() {
  state.held = !state.held;
  put($('hold'), state.held ? 'Go on' : 'Hold');
  $('hold').setAttribute('aria-pressed', state.held);
  if (!state.held) turn();
}

function theme() {
  const dark = document.documentElement.style.colorScheme ? document.documentElement.style.colorScheme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  document.documentElement.style.colorScheme = dark ? 'light' : 'dark';
  put($('theme'), dark ? 'Dark' : 'Light');
}

const safely = work => () => Promise.resolve(work()).catch(error => put($('alarm'), error.message));
$('hold').onclick = hold;
$('theme').onclick = theme;
const system = matchMedia('(prefers-color-scheme: dark)');
system.onchange = () => { if (!document.documentElement.style.colorScheme) put($('theme'), system.matches ? 'Light' : 'Dark'); };
system.onchange();
$('phase').onchange = safely(() => { state.after = null; return rows(); });
$('first').onclick = safely(() => { state.after = null; return rows(); });
$('next').onclick = safely(() => { state.after = state.last; return rows(); });
$('older').onclick = () => { state.shown += SHOWN; drawEvents(); };
$('filter').oninput = () => { state.shown = SHOWN; drawEvents(); };
$('journal').ontoggle = safely(() => $('journal').open ? effects() : null);
$('raw').ontoggle = safely(() => $('raw').open ? refresh() : null);
document.addEventListener('visibilitychange', () => { if (!document.hidden && !state.held) turn(); });
document.addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey || /INPUT|SELECT/.test(event.target.tagName)) return;
  if (event.key === 'p') hold();
  else if (event.key === '/') { event.preventDefault(); $('filter').focus(); }
});
setInterval(() => put($('age'), state.seen ? `${state.held ? 'held, ' : ''}${span((Date.now() - state.seen) / 1000)} ago` : ''), 1000);
turn();
