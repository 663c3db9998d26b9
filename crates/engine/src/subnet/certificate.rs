//! The certificate that a canister hands out with its query replies: a hash tree with its certified
//! data and the time, in CBOR. The tree is as the platform's; the signature is a placeholder, since
//! this subnet has no key.
//!
//! Source: interface specification, sections "Certificate" and "Certified data".

/// A node of a hash tree: `[1, left, right]`, `[2, label, tree]`, `[3, bytes]`.
enum Tree<'a> {
    Fork(Box<Tree<'a>>, Box<Tree<'a>>),
    Labeled(&'a [u8], Box<Tree<'a>>),
    Leaf(Vec<u8>),
}

/// Bytes of a BLS signature.
const SIGNATURE_BYTES: usize = 48;
const MAJOR_BYTES: u8 = 2;
const MAJOR_TEXT: u8 = 3;
const MAJOR_ARRAY: u8 = 4;
const MAJOR_MAP: u8 = 5;
/// Tag 55799: what follows is CBOR.
const SELF_DESCRIBED: [u8; 3] = [0xd9, 0xd9, 0xf7];

/// The certificate of `canister`'s certified data at `time_ns`.
pub(super) fn certificate(canister: &[u8], certified_data: &[u8], time_ns: u64) -> Vec<u8> {
    let data = labeled(b"certified_data", Tree::Leaf(certified_data.to_vec()));
    let tree = Tree::Fork(
        Box::new(labeled(b"canister", labeled(canister, data))),
        Box::new(labeled(b"time", Tree::Leaf(leb128(time_ns)))),
    );
    let mut cbor = SELF_DESCRIBED.to_vec();
    head(&mut cbor, MAJOR_MAP, 2);
    text(&mut cbor, "tree");
    tree.write(&mut cbor);
    text(&mut cbor, "signature");
    bytes(&mut cbor, &[0; SIGNATURE_BYTES]);
    cbor
}

fn labeled<'a>(label: &'a [u8], tree: Tree<'a>) -> Tree<'a> {
    Tree::Labeled(label, Box::new(tree))
}

impl Tree<'_> {
    fn write(&self, cbor: &mut Vec<u8>) {
        match self {
            Tree::Fork(left, right) => {
                head(cbor, MAJOR_ARRAY, 3);
                cbor.push(1);
                left.write(cbor);
                right.write(cbor);
            }
            Tree::Labeled(label, tree) => {
                head(cbor, MAJOR_ARRAY, 3);
                cbor.push(2);
                bytes(cbor, label);
                tree.write(cbor);
            }
            Tree::Leaf(content) => {
                head(cbor, MAJOR_ARRAY, 2);
                cbor.push(3);
                bytes(cbor, content);
            }
        }
    }
}

/// Major type and length, which is below 256 for all that is written here.
fn head(cbor: &mut Vec<u8>, major: u8, length: usize) {
    if length < 24 {
        cbor.push(major << 5 | length as u8);
    } else {
        let length = u8::try_from(length).expect("bug: a certificate holds short strings only");
        cbor.extend([major << 5 | 0x18, length]);
    }
}

fn bytes(cbor: &mut Vec<u8>, content: &[u8]) {
    head(cbor, MAJOR_BYTES, content.len());
    cbor.extend_from_slice(content);
}

fn text(cbor: &mut Vec<u8>, content: &str) {
    head(cbor, MAJOR_TEXT, content.len());
    cbor.extend_from_slice(content.as_bytes());
}

fn leb128(mut number: u64) -> Vec<u8> {
    let mut encoded = Vec::new();
    while number >= 0x80 {
        encoded.push(number as u8 | 0x80);
        number >>= 7;
    }
    encoded.push(number as u8);
    encoded
}

#[cfg(test)]
mod tests {
    use super::{certificate, leb128};

    #[test]
    fn the_certificate_is_the_cbor_of_its_tree() {
        let cbor = certificate(&[9], b"data", 300);
        let mut expected = vec![0xd9, 0xd9, 0xf7, 0xa2, 0x64];
        expected.extend(b"tree");
        expected.extend([0x83, 1, 0x83, 2, 0x48]);
        expected.extend(b"canister");
        expected.extend([0x83, 2, 0x41, 9, 0x83, 2, 0x4e]);
        expected.extend(b"certified_data");
        expected.extend([0x82, 3, 0x44]);
        expected.extend(b"data");
        expected.extend([0x83, 2, 0x44]);
        expected.extend(b"time");
        expected.extend([0x82, 3, 0x42, 0xac, 0x02, 0x69]);
        expected.extend(b"signature");
        expected.extend([0x58, 48]);
        expected.extend([0; 48]);
        assert_eq!(cbor, expected);
        assert_eq!(leb128(127), [127]);
    }
}
