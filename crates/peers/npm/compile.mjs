// Compiles load.mo to load.wasm with the compiler that npm carries.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const found = createRequire(import.meta.url)('motoko');
const motoko = found.default ?? found;
motoko.write('load.mo', readFileSync('load.mo', 'utf8'));
writeFileSync('load.wasm', motoko.wasm('load.mo', 'ic').wasm);
