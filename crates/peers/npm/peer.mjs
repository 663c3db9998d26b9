// @icp-sdk/core 6.x against a network: one line of output for each check.
import { Actor, CanisterStatus, HttpAgent } from '@icp-sdk/core/agent';
import { DelegationChain, DelegationIdentity, ECDSAKeyIdentity, Ed25519KeyIdentity } from '@icp-sdk/core/identity';
import { Secp256k1KeyIdentity } from '@icp-sdk/core/identity/secp256k1';
import { Principal } from '@icp-sdk/core/principal';

const host = process.env.NETWORK_URL;
const rootKey = Uint8Array.from(Buffer.from(process.env.NETWORK_ROOT_KEY, 'hex'));
const canisterId = Principal.fromText(process.env.CANISTER);
const idl = ({ IDL }) => IDL.Service({
  inc: IDL.Func([], [IDL.Nat64], []),
  get: IDL.Func([], [IDL.Nat64], ['query']),
  refuse: IDL.Func([], [], []),
});

function ensure(holds, text) {
  if (!holds) throw new Error(text);
}

async function check(name, run) {
  try {
    await run();
    console.log(`ok ${name}`);
  } catch (error) {
    console.log(`failed ${name}: ${String(error).replaceAll('\n', ' ')}`);
  }
}

async function rejected(promise, words) {
  try {
    await promise;
  } catch (error) {
    ensure(String(error).includes(words), `"${words}" expected, found: ${error}`);
    return;
  }
  throw new Error('it was not rejected');
}

async function agentOf(identity, key = rootKey) {
  return HttpAgent.create({ host, identity, rootKey: key, verifyQuerySignatures: true, retryTimes: 0 });
}

async function identities() {
  const owner = Ed25519KeyIdentity.generate();
  const session = await ECDSAKeyIdentity.generate();
  const until = new Date(Date.now() + 3_600_000);
  const chain = await DelegationChain.create(owner, session.getPublicKey(), until, { targets: [canisterId] });
  return {
    anonymous: undefined,
    'Ed25519': owner,
    'P-256': session,
    'secp256k1': Secp256k1KeyIdentity.generate(),
    'a delegation': DelegationIdentity.fromDelegation(session, chain),
  };
}

let counted = 0n;
for (const [name, identity] of Object.entries(await identities())) {
  const agent = await agentOf(identity);
  const counter = Actor.createActor(idl, { agent, canisterId });
  await check(`update, ${name}`, async () => {
    const count = await counter.inc();
    ensure(count > counted, `${count} after ${counted}`);
    counted = count;
  });
  await check(`query with verified signature, ${name}`, async () => {
    ensure((await counter.get()) === counted, 'the query shows another count');
  });
}

const agent = await agentOf(undefined);
await check('a certified reject', () => {
  return rejected(Actor.createActor(idl, { agent, canisterId }).refuse(), 'this canister refuses');
});
await check('a refusal at the door', () => {
  const nobody = Principal.fromUint8Array(Uint8Array.from([0, 0, 0, 0, 9, 9, 9, 9, 1, 1]));
  return rejected(Actor.createActor(idl, { agent, canisterId: nobody }).inc(), 'not found');
});
await check('read_state', async () => {
  const paths = ['time', 'controllers', 'module_hash', 'candid'];
  const status = await CanisterStatus.request({ agent, canisterId, paths });
  ensure(status.get('candid').includes('inc : () -> (nat64)'), 'the Candid metadata differ');
  ensure(status.get('controllers').length === 1, 'one controller expected');
  ensure(Math.abs(Date.now() - status.get('time').getTime()) < 60_000, 'the time is not now');
});
await check('another root key is not trusted', async () => {
  const other = Uint8Array.from(rootKey);
  other[132] ^= 1;
  const counter = Actor.createActor(idl, { agent: await agentOf(undefined, other), canisterId });
  let trusted = true;
  try {
    await counter.inc();
  } catch {
    trusted = false;
  }
  ensure(!trusted, 'a certificate under another key was taken');
});
await check('the root key from the status', async () => {
  const fetched = await HttpAgent.create({ host, shouldFetchRootKey: true });
  ensure(Buffer.from(fetched.rootKey).equals(Buffer.from(rootKey)), 'another root key');
});
