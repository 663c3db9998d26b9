//! What an agent's error means to an operator: whose move it is, and what to do.

use crate::complaint::{Complaint, Kind};
use ic_agent::AgentError;

/// What was tried, and with whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempt<'a> {
    /// The method.
    pub(crate) method: &'a str,
    /// `local`, `ic` or an address.
    pub(crate) network: &'a str,
    /// The caller.
    pub(crate) identity: &'a str,
    /// Whose method it is.
    pub(crate) callee: &'a str,
}

/// The error as a complaint with cause and hint.
pub(crate) fn explain(attempt: Attempt<'_>, error: &AgentError) -> Complaint {
    let Attempt {
        method,
        network,
        callee,
        ..
    } = attempt;
    match error {
        AgentError::CertifiedReject { reject, .. }
        | AgentError::UncertifiedReject { reject, .. } => {
            let code = reject.error_code.as_deref().unwrap_or("");
            rejected(attempt, code, &reject.reject_message)
        }
        AgentError::TransportError(cause) => {
            let message = format!("the network {network} cannot be reached: {cause}");
            let hint = match network {
                "local" => "is `hatchery up` still running in this folder?",
                _ => "check the address and the connection; the same command can be given again",
            };
            Complaint::new(Kind::Unreachable, message).hint(hint)
        }
        AgentError::TimeoutWaitingForResponse() => {
            let message = format!("no answer to `{method}` of {callee} in time; it may still run");
            Complaint::new(Kind::Unreachable, message)
                .hint("look with `hatchery status`; a command with the same --operation is never done twice")
        }
        AgentError::CertificateVerificationFailed()
        | AgentError::QuerySignatureVerificationFailed
        | AgentError::CertificateNotAuthorized() => {
            let message = format!("an answer of {network} is not signed by its key");
            Complaint::new(Kind::Unreachable, message)
                .hint("another network answers there: check --network and --root-key")
        }
        AgentError::CertificateOutdated(_) => {
            let message = "the network's answer is from another time than this machine's";
            Complaint::new(Kind::Unreachable, message).hint("set this machine's clock")
        }
        other => Complaint::new(Kind::Unreachable, format!("{network}: {other}"))
            .hint("`hatchery doctor` looks at what is wrong; the same command can be given again"),
    }
}

/// A reject, by the platform's error code (interface specification, "Error codes").
fn rejected(attempt: Attempt<'_>, code: &str, text: &str) -> Complaint {
    let Attempt {
        method,
        network,
        identity,
        callee,
    } = attempt;
    let denied = |text: String| {
        Complaint::new(Kind::Denied, text)
            .hint("call as a controller of root: --identity, or $HATCHERY_IDENTITY")
    };
    match code {
        // A canister that did not accept a message, or controllers only.
        "IC0516" | "IC0406" | "IC0512" => {
            denied(format!("{identity} may not call `{method}` of {callee}"))
        }
        "IC0301" => Complaint::new(Kind::Input, format!("there is no canister {callee} on {network}"))
            .hint("check --root and --network; `hatchery deploy` makes a root"),
        "IC0536" => Complaint::new(Kind::Refused, format!("{callee} has no method `{method}`"))
            .hint("its module is older than this program, or it is no root: `hatchery deploy` upgrades it"),
        "IC0537" => Complaint::new(Kind::Refused, format!("{callee} has no module"))
            .hint("`hatchery deploy` installs it"),
        "IC0508" | "IC0509" => {
            Complaint::new(Kind::Refused, format!("{callee} is stopped: {text}"))
                .hint("`hatchery deploy` finishes an upgrade that was interrupted and starts it")
        }
        "IC0207" => Complaint::new(Kind::Refused, format!("{callee} is out of cycles: {text}"))
            .hint("`hatchery cycles top-up` gives it some"),
        _ if text.starts_with("unauthorised") => {
            denied(format!("{identity} may not call `{method}` of {callee}: {text}"))
        }
        _ => Complaint::new(Kind::Refused, format!("`{method}` of {callee} was rejected: {text}"))
            .hint("`hatchery doctor` looks at what is wrong; `hatchery status` shows what is there"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Attempt, rejected};
    use crate::complaint::render;
    use expect_test::expect;

    #[test]
    fn each_reject_says_what_to_do() {
        let attempt = Attempt {
            method: "status",
            network: "ic",
            identity: "2vxsx-fae",
            callee: "root",
        };
        let codes = [
            "IC0516", "IC0301", "IC0536", "IC0537", "IC0508", "IC0207", "IC0503",
        ];
        let shown = codes.map(|code| render(&rejected(attempt, code, "TEXT").into()));
        expect![[r#"
            error: 2vxsx-fae may not call `status` of root
            hint: call as a controller of root: --identity, or $HATCHERY_IDENTITY
            error: there is no canister root on ic
            hint: check --root and --network; `hatchery deploy` makes a root
            error: root has no method `status`
            hint: its module is older than this program, or it is no root: `hatchery deploy` upgrades it
            error: root has no module
            hint: `hatchery deploy` installs it
            error: root is stopped: TEXT
            hint: `hatchery deploy` finishes an upgrade that was interrupted and starts it
            error: root is out of cycles: TEXT
            hint: `hatchery cycles top-up` gives it some
            error: `status` of root was rejected: TEXT
            hint: `hatchery doctor` looks at what is wrong; `hatchery status` shows what is there"#]].assert_eq(&shown.join("\n"));
    }
}
