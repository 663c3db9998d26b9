//! The chunk store of a canister: pieces of a module too large for one message.

use ic_error_types::ErrorCode;
use ic_management_canister_types::{
    CanisterIdRecord, ChunkHash, InstallChunkedCodeArgs, UploadChunkArgs,
};
use ic_principal::Principal;
use sha2::{Digest, Sha256};

use super::{Handled, decode, reply, reply_nothing};
use crate::reject::Reject;
use crate::subnet::{Canister, Origin, Request, Subnet, Use, prepay};

const CHUNK_BYTES_MAX: usize = 1 << 20;
const CHUNKS_MAX: usize = 100;
/// What keeping a chunk costs (ENGINE facts: instruction limits).
const UPLOAD_INSTRUCTIONS: u64 = 200_000_000;

impl Subnet {
    pub(super) fn upload_chunk(&mut self, request: &Request) -> Handled {
        let args: UploadChunkArgs = decode(&request.arg)?;
        let id = args.canister_id;
        self.controlled_or_self(&id, &request.origin)?;
        if args.chunk.len() > CHUNK_BYTES_MAX {
            return Err(bad_chunk(format!(
                "a chunk has at most {CHUNK_BYTES_MAX} bytes, not {}",
                args.chunk.len()
            )));
        }
        let hash: [u8; 32] = Sha256::digest(&args.chunk).into();
        let chunks = &self.known(&id).chunks;
        if !chunks.contains_key(&hash) && chunks.len() >= CHUNKS_MAX {
            return Err(bad_chunk(format!(
                "the chunk store of {id} is full with {CHUNKS_MAX} chunks"
            )));
        }
        let cost = self.context.prices.instruction * u128::from(UPLOAD_INSTRUCTIONS);
        let freezing_limit = self.freezing_limit(&id);
        let canister = self
            .canisters
            .get_mut(&id)
            .ok_or_else(|| Reject::not_found(&id))?;
        prepay(canister, freezing_limit, cost)?;
        self.ledger.burn_taken(canister, Use::Instructions, cost);
        canister.chunks.insert(hash, args.chunk);
        self.management_spent += UPLOAD_INSTRUCTIONS;
        reply(&ChunkHash {
            hash: hash.to_vec(),
        })
    }

    pub(super) fn stored_chunks(&mut self, request: &Request) -> Handled {
        let args: CanisterIdRecord = decode(&request.arg)?;
        let canister = self.controlled_or_self(&args.canister_id, &request.origin)?;
        let hashes: Vec<ChunkHash> = canister
            .chunks
            .keys()
            .map(|hash| ChunkHash {
                hash: hash.to_vec(),
            })
            .collect();
        reply(&hashes)
    }

    pub(super) fn clear_chunk_store(&mut self, request: &Request) -> Handled {
        let args: CanisterIdRecord = decode(&request.arg)?;
        self.controlled_or_self(&args.canister_id, &request.origin)?
            .chunks
            .clear();
        reply_nothing()
    }

    /// Puts the chunks of a module together and checks its hash.
    ///
    /// # Errors
    /// The store is not the sender's to use, a chunk is missing, or the hash differs.
    pub(super) fn assembled(
        &mut self,
        args: &InstallChunkedCodeArgs,
        origin: &Origin,
    ) -> Result<Vec<u8>, Reject> {
        let store = args.store_canister.unwrap_or(args.target_canister);
        let canister = self.controlled_or_self(&store, origin)?;
        let mut wasm = Vec::new();
        for chunk in &args.chunk_hashes_list {
            let known = <[u8; 32]>::try_from(chunk.hash.as_slice())
                .ok()
                .and_then(|hash| canister.chunks.get(&hash));
            let bytes = known.ok_or_else(|| {
                bad_chunk(format!(
                    "a chunk of the module is not in the chunk store of {store}"
                ))
            })?;
            wasm.extend_from_slice(bytes);
            if wasm.len() > CHUNKS_MAX * CHUNK_BYTES_MAX {
                return Err(bad_chunk("the module is too large".to_owned()));
            }
        }
        let hash = Sha256::digest(&wasm);
        if hash.as_slice() != args.wasm_module_hash {
            return Err(bad_chunk(
                "the assembled module has another hash than wasm_module_hash".to_owned(),
            ));
        }
        Ok(wasm)
    }

    fn controlled_or_self(
        &mut self,
        id: &Principal,
        origin: &Origin,
    ) -> Result<&mut Canister, Reject> {
        let sender = origin.principal();
        let canister = self
            .canisters
            .get_mut(id)
            .ok_or_else(|| Reject::not_found(id))?;
        if sender == *id || canister.is_controller(&sender) {
            Ok(canister)
        } else {
            Err(Reject::not_controller(id, &sender))
        }
    }
}

fn bad_chunk(text: String) -> Reject {
    Reject::new(ErrorCode::CanisterContractViolation, text)
}
