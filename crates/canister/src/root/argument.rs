//! Init arguments with what only root knows put in place of what stands for it.
//!
//! Owns the replacing of bytes; nothing here decodes the argument, whose types are its canister's.

use hatchery_types::{Placeholder, Principal};

/// What a canister that is being installed may be told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tenant<'a> {
    pub(super) own: Principal,
    pub(super) parent: Principal,
    pub(super) root: Principal,
    pub(super) pool: &'a str,
}

/// The argument for that tenant. Ids of canisters are all of one length; a text carries its own in
/// front, which for a pool's name is one byte.
pub(super) fn filled(argument: Vec<u8>, tenant: Tenant<'_>) -> Vec<u8> {
    let mut argument = argument;
    for (placeholder, _) in Placeholder::ALL {
        let with = match placeholder {
            Placeholder::Own => tenant.own,
            Placeholder::Parent => tenant.parent,
            Placeholder::Root => tenant.root,
        };
        let what = counted(placeholder.principal().as_slice());
        argument = replaced(argument, &what, &counted(with.as_slice()));
    }
    let what = counted(Placeholder::POOL.as_bytes());
    replaced(argument, &what, &counted(tenant.pool.as_bytes()))
}

fn counted(bytes: &[u8]) -> Vec<u8> {
    [&[bytes.len() as u8][..], bytes].concat()
}

fn replaced(bytes: Vec<u8>, what: &[u8], with: &[u8]) -> Vec<u8> {
    let mut rest = &bytes[..];
    let find = |rest: &[u8]| rest.windows(what.len()).position(|window| window == what);
    let Some(mut at) = find(rest) else {
        return bytes;
    };
    let mut whole = Vec::new();
    loop {
        whole.extend_from_slice(&rest[..at]);
        whole.extend_from_slice(with);
        rest = &rest[at + what.len()..];
        match find(rest) {
            Some(next) => at = next,
            None => break,
        }
    }
    whole.extend_from_slice(rest);
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use candid::{Decode, Encode};

    #[test]
    fn each_placeholder_becomes_what_it_stands_for_and_all_else_stays() {
        let id = |number| Principal::from_slice(&[0, 0, 0, 0, 0, 0, 0, number, 1, 1]);
        let [own, parent, root] = [id(1), id(2), id(3)];
        let stand_in = Placeholder::principal;
        let argument = Encode!(
            &vec![stand_in(Placeholder::Own), stand_in(Placeholder::Parent)],
            &stand_in(Placeholder::Root),
            &"$pool".to_owned(),
            &("$self", 7_u64, "a $pool too many"),
            &stand_in(Placeholder::Own)
        );
        let tenant = Tenant {
            own,
            parent,
            root,
            pool: "a-pool-of-workers",
        };
        let filled = filled(argument.expect("encodes"), tenant);
        let (ids, of_root, pool, rest, again) = Decode!(
            &filled,
            Vec<Principal>,
            Principal,
            String,
            (String, u64, String),
            Principal
        )
        .expect("it is still Candid");
        assert_eq!((ids, of_root, again), (vec![own, parent], root, own));
        assert_eq!(pool, "a-pool-of-workers");
        assert_eq!(rest, ("$self".to_owned(), 7, "a $pool too many".to_owned()));
        let plain = Encode!(&"nothing to fill").expect("encodes");
        assert_eq!(super::filled(plain.clone(), tenant), plain);
    }
}
