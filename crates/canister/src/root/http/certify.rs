//! How a gateway can tell that a response is root's own: certification version 2 (interface
//! specification, "Response Verification").
//!
//! Owns the tree whose hash is root's certified data, and the headers that prove a response by it.
//! The tree has an entry for every fixed response and one for each path whose responses cannot be
//! certified, since they change with the state; it is small, so it is sent whole.

use sha2::{Digest, Sha256};

/// The part of a path below which an entry holds for everything.
pub(super) const ANY: &str = "<*>";
/// The part of a path that ends an entry for exactly this path.
pub(super) const EXACTLY: &str = "<$>";
/// The label above all entries.
const HTTP_EXPR: &str = "http_expr";
/// The header that says how a response is certified.
const EXPRESSION_HEADER: &str = "IC-CertificateExpression";
/// Headers that a certified response has, and that are certified with it.
pub(super) const CERTIFIED_HEADERS: [&str; 2] = ["content-type", "content-security-policy"];

/// What [`CERTIFIED_HEADERS`] says, in the platform's terms.
const RESPONSE_ONLY: &str = "default_certification(ValidationArgs{certification:Certification{no_request_certification:Empty{},response_certification:ResponseCertification{certified_response_headers:ResponseHeaderList{headers:[\"content-type\",\"content-security-policy\"]}}}})";
/// Nothing about the response is certified.
const SKIP: &str = "default_certification(ValidationArgs{no_certification:Empty{}})";

type Hash = [u8; 32];
/// An entry and the rest of its path.
type Placed<'a> = (&'a [&'a str], Entry);

/// How the responses of one path are certified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// One response alone, by its hash.
    Response(Hash),
    /// Not at all.
    Skipped,
}

impl Entry {
    fn expression(self) -> &'static str {
        match self {
            Entry::Response(_) => RESPONSE_ONLY,
            Entry::Skipped => SKIP,
        }
    }

    /// What stands below its path.
    fn tree(self) -> Tree {
        let below = match self {
            Entry::Response(hash) => Tree::label(b"", Tree::label(&hash, Tree::Leaf)),
            Entry::Skipped => Tree::Leaf,
        };
        Tree::label(&sha256(&[self.expression().as_bytes()]), below)
    }
}

/// The entry of a response with these values of [`CERTIFIED_HEADERS`].
pub(super) fn response(status: u16, headers: [&str; 2], body: &[u8]) -> Entry {
    let name = EXPRESSION_HEADER.to_ascii_lowercase();
    let status = leb128(status);
    let mut pairs: Vec<[&[u8]; 2]> = vec![
        [name.as_bytes(), RESPONSE_ONLY.as_bytes()],
        [b":ic-cert-status", &status],
    ];
    for (name, value) in CERTIFIED_HEADERS.iter().zip(headers) {
        pairs.push([name.as_bytes(), value.as_bytes()]);
    }
    let mut fields: Vec<[Hash; 2]> = Vec::new();
    for pair in pairs {
        let field = pair.map(|part| sha256(&[part]));
        let place = fields.partition_point(|before| *before < field);
        fields.insert(place, field);
    }
    let fields = sha256(&[fields.as_flattened().as_flattened()]);
    Entry::Response(sha256(&[&fields, &sha256(&[body])]))
}

/// All entries of a site by their paths.
pub(super) struct Site {
    root: Hash,
    encoded: Vec<u8>,
}

impl Site {
    /// A tree of these entries.
    pub(super) fn new(entries: &[(&[&str], Entry)]) -> Self {
        let entries: Vec<_> = entries
            .iter()
            .map(|(path, entry)| (*path, *entry))
            .collect();
        let tree = Tree::label(HTTP_EXPR.as_bytes(), Tree::of(entries));
        let mut encoded = SELF_DESCRIBED.to_vec();
        tree.encode(&mut encoded);
        Site {
            root: tree.digest(),
            encoded,
        }
    }

    /// What root's certified data must be.
    pub(super) fn root(&self) -> &Hash {
        &self.root
    }

    /// The headers that prove a response of this entry, given the certificate of this query; none
    /// for one in a replicated message.
    pub(super) fn headers(
        &self,
        path: &[&str],
        entry: Entry,
        certificate: Option<&[u8]>,
    ) -> Vec<(String, String)> {
        let mut headers = vec![(EXPRESSION_HEADER.to_owned(), entry.expression().to_owned())];
        if let Some(certificate) = certificate {
            let proof = format!(
                "certificate=:{}:, tree=:{}:, expr_path=:{}:, version=2",
                base64(certificate),
                base64(&self.encoded),
                base64(&encode_path(path)),
            );
            headers.push(("IC-Certificate".to_owned(), proof));
        }
        headers
    }
}

/// A hash tree (interface specification, "Certificate"), as far as it is needed here.
enum Tree {
    Fork(Box<Tree>, Box<Tree>),
    Labeled(Vec<u8>, Box<Tree>),
    /// Without content: an entry is there or it is not.
    Leaf,
}

impl Tree {
    fn label(label: &[u8], tree: Tree) -> Tree {
        Tree::Labeled(label.to_vec(), Box::new(tree))
    }

    /// A tree of entries below their paths; those with the same first part become one branch.
    fn of(entries: Vec<Placed<'_>>) -> Tree {
        let mut branches: Vec<(&str, Vec<Placed<'_>>)> = Vec::new();
        for (path, entry) in entries {
            let [first, rest @ ..] = path else {
                return entry.tree();
            };
            // Labels of a tree stand in order, so that the absence of one can be seen.
            match branches.binary_search_by(|(label, _)| label.cmp(first)) {
                Ok(place) => branches[place].1.push((rest, entry)),
                Err(place) => branches.insert(place, (first, vec![(rest, entry)])),
            }
        }
        let labelled = branches
            .into_iter()
            .map(|(label, below)| Tree::label(label.as_bytes(), Tree::of(below)));
        labelled
            .reduce(|left, right| Tree::Fork(Box::new(left), Box::new(right)))
            .expect("bug: a tree without entries")
    }

    fn digest(&self) -> Hash {
        match self {
            Tree::Fork(left, right) => {
                sha256(&[b"\x10ic-hashtree-fork", &left.digest(), &right.digest()])
            }
            Tree::Labeled(label, tree) => {
                sha256(&[b"\x13ic-hashtree-labeled", label, &tree.digest()])
            }
            Tree::Leaf => sha256(&[b"\x10ic-hashtree-leaf"]),
        }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Tree::Fork(left, right) => {
                out.extend([ARRAY | 3, 1]);
                left.encode(out);
                right.encode(out);
            }
            Tree::Labeled(label, tree) => {
                out.extend([ARRAY | 3, 2]);
                encode_string(BYTES, label, out);
                tree.encode(out);
            }
            Tree::Leaf => out.extend([ARRAY | 2, 3, BYTES]),
        }
    }
}

/// CBOR (RFC 8949): the tag of self-described CBOR, and the major types that are used.
const SELF_DESCRIBED: [u8; 3] = [0xd9, 0xd9, 0xf7];
const BYTES: u8 = 0x40;
const TEXT: u8 = 0x60;
const ARRAY: u8 = 0x80;
const ONE_BYTE_FOLLOWS: u8 = 0x18;

fn encode_path(path: &[&str]) -> Vec<u8> {
    let mut out = SELF_DESCRIBED.to_vec();
    out.push(ARRAY | (path.len() as u8 + 1));
    for part in [HTTP_EXPR].iter().chain(path) {
        encode_string(TEXT, part.as_bytes(), &mut out);
    }
    out
}

/// Bytes or text of less than 256 bytes, which all labels are.
fn encode_string(major: u8, bytes: &[u8], out: &mut Vec<u8>) {
    match bytes.len() as u8 {
        length @ 0..24 => out.push(major | length),
        length => out.extend([major | ONE_BYTE_FOLLOWS, length]),
    }
    out.extend(bytes);
}

fn leb128(number: u16) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = number;
    while rest > 0x7f {
        bytes.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    bytes
}

fn sha256(parts: &[&[u8]]) -> Hash {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// The value of a script or style in a content security policy: its hash.
pub(super) fn integrity(text: &str) -> String {
    format!("'sha256-{}'", base64(&sha256(&[text.as_bytes()])))
}

/// Base64 with padding (RFC 4648).
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place)) as usize & 63];
            let padding = place > chunk.len();
            text.push(if padding { '=' } else { digit as char });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        use std::fmt::Write;
        let mut text = String::new();
        for byte in bytes {
            write!(text, "{byte:02x}").expect("a String takes text");
        }
        text
    }

    const POLICY: &str = "default-src 'none'";

    /// Roots and encodings that ic-http-certification 4.0.1 computes for the same responses.
    #[test]
    fn trees_are_what_the_reference_makes_of_the_same_entries() {
        let page = response(200, ["text/html", POLICY], b"<p>");
        let missing = response(404, ["text/plain", POLICY], b"nothing here\n");
        let cases: [(&[&str], Entry, &str, &str); 3] = [
            (
                &["", EXACTLY],
                page,
                "1857ace6aa913a0abf670e2269e8c3909e7e68b81368e6173e1837634861033c",
                "d9d9f7830249687474705f657870728302408302433c243e83025820bd677e67975394b0a61db3db\
                 96c300f7f01054fcd355ae0df688fdeaad474a4883024083025820f902beabe81aa2762479dc9c86\
                 154d7be4dea5401c1ee757e9088b58a958c78a820340",
            ),
            (
                &[ANY],
                missing,
                "764299107ae8cc8fd0719f4d2a7b4142a37aaf5e8576e191a67a87af19ff4805",
                "d9d9f7830249687474705f657870728302433c2a3e83025820bd677e67975394b0a61db3db96c300\
                 f7f01054fcd355ae0df688fdeaad474a48830240830258200a67a8b0aa14e12d79b388c9651a528c\
                 f530597db7faff3212ebf58913f7a31d820340",
            ),
            (
                &["metrics", EXACTLY],
                Entry::Skipped,
                "5c47c5d2bc8c3295544033f9ddd3fc84ebce0e1e44dad249e42b09dc11db69bf",
                "d9d9f7830249687474705f657870728302476d6574726963738302433c243e83025820c31abadbd0\
                 b059f9d464fd6df4da9e2dc087ae7d0b40468d337226d413b33723820340",
            ),
        ];
        for (path, entry, root, encoded) in cases {
            let site = Site::new(&[(path, entry)]);
            assert_eq!(hex(site.root()), root, "{path:?}");
            assert_eq!(hex(&site.encoded), encoded, "{path:?}");
        }
    }

    #[test]
    fn the_expression_names_the_headers_that_are_certified() {
        let named = format!(
            "headers:[{}]",
            CERTIFIED_HEADERS.map(|it| format!("{it:?}")).join(",")
        );
        assert!(RESPONSE_ONLY.contains(&named), "{named}");
    }

    #[test]
    fn branches_stand_in_order_and_share_their_beginning() {
        let entry = Entry::Skipped;
        let one: [(&[&str], Entry); 3] =
            [(&["b"], entry), (&["a", "y"], entry), (&["a", "x"], entry)];
        let other: [(&[&str], Entry); 3] =
            [(&["a", "x"], entry), (&["a", "y"], entry), (&["b"], entry)];
        let tree = Site::new(&one);
        assert_eq!(tree.encoded, Site::new(&other).encoded);
        let branches = tree.encoded.split(|byte| *byte == b'a').count();
        assert_eq!(branches, 2, "one branch for both");
    }

    #[test]
    fn base64_pads() {
        let cases = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ];
        for (bytes, text) in cases {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
        assert_eq!(base64(&[0xfb, 0xff]), "+/8=");
    }
}
