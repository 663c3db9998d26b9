//! As whom root is called: a PEM file, a name in `icp`'s store, or nobody.
//!
//! Owns reading keys; it never writes one but the operator's of the embedded network.

use crate::complaint::{Complaint, Kind};
use data_encoding::HEXLOWER;
use ic_agent::Identity;
use ic_agent::identity::{AnonymousIdentity, BasicIdentity, Prime256v1Identity, Secp256k1Identity};
use ic_ed25519::{PrivateKey, PrivateKeyFormat};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Names the identity when no option does.
pub(crate) const VARIABLE: &str = "HATCHERY_IDENTITY";
/// Nobody.
const ANONYMOUS: &str = "anonymous";

/// The identity of that name: `anonymous`, the path of a PEM file, or a name in `icp`'s store.
///
/// # Errors
/// There is no such file or name, or its key is of no kind that the platform takes.
pub(crate) fn named(name: &str) -> anyhow::Result<Box<dyn Identity>> {
    if name == ANONYMOUS {
        return Ok(Box::new(AnonymousIdentity));
    }
    let path = Path::new(name);
    if path.is_file() {
        return from_file(path);
    }
    match in_store(name)? {
        Some(identity) => Ok(identity),
        None => Err(unknown(name).into()),
    }
}

fn unknown(name: &str) -> Complaint {
    let stores = store().map_or_else(String::new, |folder| {
        format!(", and no identity of icp in {}", folder.display())
    });
    Complaint::new(Kind::Input, format!("`{name}` is no file of a key{stores}"))
        .hint("give the path of a PEM file, a name of `icp identity list`, or `anonymous`")
}

/// The key in a PEM file.
///
/// # Errors
/// The file cannot be read, or it is no key that the platform takes.
pub(crate) fn from_file(path: &Path) -> anyhow::Result<Box<dyn Identity>> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        let message = format!("{} cannot be read: {error}", path.display());
        Complaint::new(Kind::Input, message).hint("give the path of a PEM file")
    })?;
    from_pem(&text).ok_or_else(|| {
        let what = if text.contains("ENCRYPTED") {
            "is encrypted, which is not read here"
        } else {
            "is no private key in PEM of Ed25519, secp256k1 or P-256"
        };
        let message = format!("{} {what}", path.display());
        let hint = "`icp identity export NAME` prints a key that can be read";
        Complaint::new(Kind::Input, message).hint(hint).into()
    })
}

/// The key in `text`, whichever of the platform's kinds it is (interface specification,
/// "Signatures").
fn from_pem(text: &str) -> Option<Box<dyn Identity>> {
    let pem = private_key(text)?;
    if let Ok(key) = PrivateKey::deserialize_pkcs8_pem(pem) {
        return Some(Box::new(BasicIdentity::from_raw_key(&key.serialize_raw())));
    }
    if let Some(key) = secp256k1(pem) {
        return Some(Box::new(Secp256k1Identity::from_private_key(key)));
    }
    let key = p256(pem)?;
    Some(Box::new(Prime256v1Identity::from_private_key(key)))
}

/// The private key among the blocks of a PEM file: openssl writes the curve in one of its own.
fn private_key(text: &str) -> Option<&str> {
    let start = ["-----BEGIN PRIVATE KEY", "-----BEGIN EC PRIVATE KEY"];
    let start = start.iter().find_map(|start| text.find(start))?;
    let end = "PRIVATE KEY-----";
    let after = start + text[start..].find("-----END")?;
    let end = after + text[after..].find(end)? + end.len();
    Some(&text[start..end])
}

fn secp256k1(pem: &str) -> Option<k256::SecretKey> {
    use k256::pkcs8::DecodePrivateKey;
    let sec1 = || k256::SecretKey::from_sec1_pem(pem).ok();
    k256::SecretKey::from_pkcs8_pem(pem).ok().or_else(sec1)
}

fn p256(pem: &str) -> Option<p256::SecretKey> {
    use p256::pkcs8::DecodePrivateKey;
    let sec1 = || p256::SecretKey::from_sec1_pem(pem).ok();
    p256::SecretKey::from_pkcs8_pem(pem).ok().or_else(sec1)
}

/// Where `icp` 1.5 keeps its identities on this machine: `$ICP_HOME`, else its folder of the
/// user's data.
fn store() -> Option<PathBuf> {
    let of = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let home = of("ICP_HOME").or_else(|| {
        let data = of("XDG_DATA_HOME").or_else(|| Some(of("HOME")?.join(".local/share")));
        data.map(|data| data.join("icp-cli"))
    });
    home.map(|home| home.join("identity"))
}

/// The identity of that name in `icp`'s store; only what it keeps in plain files can be read.
fn in_store(name: &str) -> anyhow::Result<Option<Box<dyn Identity>>> {
    let Some(store) = store() else {
        return Ok(None);
    };
    let Ok(list) = std::fs::read(store.join("identity_list.json")) else {
        return Ok(None);
    };
    let list: Value = serde_json::from_slice(&list).unwrap_or_default();
    let entry = &list["identities"][name];
    match (entry["kind"].as_str(), entry["format"].as_str()) {
        (None, _) => Ok(None),
        (Some("anonymous"), _) => Ok(Some(Box::new(AnonymousIdentity))),
        (Some("pem"), Some("plaintext")) => {
            from_file(&store.join("keys").join(format!("{name}.pem"))).map(Some)
        }
        (Some(kind), format) => {
            let how = format.unwrap_or(kind);
            let message = format!("icp keeps the identity `{name}` as {how}, not in a plain file");
            let hint = format!("`icp identity export {name}` prints it; give that as a file");
            Err(Complaint::new(Kind::Input, message).hint(hint).into())
        }
    }
}

/// The operator of the embedded network in a folder: the same key every time, made once.
///
/// # Errors
/// The folder cannot be written.
pub(crate) fn of_folder(path: &Path) -> anyhow::Result<Box<dyn Identity>> {
    if !path.exists() {
        let key = PrivateKey::generate();
        let pem = key.serialize_pkcs8_pem(PrivateKeyFormat::Pkcs8v1);
        write_private(path, &pem)?;
    }
    from_file(path)
}

/// Nobody else of this machine reads it.
fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    Ok(())
}

/// Bytes that no other call has: an operation id, a nonce.
pub(crate) fn fresh() -> String {
    HEXLOWER.encode(&PrivateKey::generate().serialize_raw()[..12])
}

#[cfg(test)]
mod tests {
    use super::from_pem;
    use ic_ed25519::{PrivateKey, PrivateKeyFormat};
    use k256::pkcs8::{EncodePrivateKey, LineEnding};

    fn principal(pem: &str) -> Option<String> {
        let identity = from_pem(pem)?;
        identity.sender().ok().map(|sender| sender.to_string())
    }

    #[test]
    fn keys_of_every_kind_are_read() {
        let ed25519 = PrivateKey::deserialize_raw_32(&[1; 32]);
        let mut seen = Vec::new();
        for format in [PrivateKeyFormat::Pkcs8v1, PrivateKeyFormat::Pkcs8v2] {
            seen.push(principal(&ed25519.serialize_pkcs8_pem(format)));
        }
        assert_eq!(seen[0], seen[1]);
        let k256 = k256::SecretKey::from_slice(&[1; 32]).expect("a key");
        let p256 = p256::SecretKey::from_slice(&[1; 32]).expect("a key");
        let pkcs8 = k256.to_pkcs8_pem(LineEnding::LF).expect("a key");
        let sec1 = k256.to_sec1_pem(LineEnding::LF).expect("a key");
        let openssl = format!(
            "-----BEGIN EC PARAMETERS-----\nBgUrgQQACg==\n-----END EC PARAMETERS-----\n{}",
            &*sec1
        );
        assert_eq!(principal(&pkcs8), principal(&openssl));
        seen.push(principal(&pkcs8));
        let pkcs8 = p256.to_pkcs8_pem(LineEnding::LF).expect("a key");
        let sec1 = p256.to_sec1_pem(LineEnding::LF).expect("a key");
        assert_eq!(principal(&pkcs8), principal(&sec1));
        seen.push(principal(&pkcs8));
        assert!(seen.iter().all(Option::is_some), "{seen:?}");
        seen.dedup();
        assert_eq!(seen.len(), 3, "{seen:?}");
        assert_eq!(principal("-----BEGIN CERTIFICATE-----"), None);
    }
}
