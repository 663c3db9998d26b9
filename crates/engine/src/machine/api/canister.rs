//! System calls about the canister and the subnet around it: identity, status, time, timer,
//! certified data, counters, environment variables.

use super::{Api, Cx, define, size};
use crate::machine::host::Host;
use crate::message::{DataCertificate, Mode};
use ic_principal::Principal;

/// Certified data is at most 32 bytes.
const MAX_CERTIFIED_BYTES: u32 = 32;
/// Names and values of environment variables are at most 128 bytes.
const MAX_VARIABLE_BYTES: u32 = 128;

pub(super) fn define(api: &mut Api) {
    define!(api:
        canister_self_size |cx| -> u32 { Ok(size(cx.host().message().canister.id.as_slice())) }
        canister_self_copy |cx, dst: u32, offset: u32, length: u32| -> () {
            cx.copy_out((dst, offset, length), |host| host.message().canister.id.as_slice())
        }
        canister_status |cx| -> u32 { Ok(cx.host().message().canister.status) }
        canister_version |cx| -> u64 { Ok(cx.host().message().canister.version) }
        subnet_self_size |cx| -> u32 { Ok(size(cx.host().message().subnet.id.as_slice())) }
        subnet_self_copy |cx, dst: u32, offset: u32, length: u32| -> () {
            cx.copy_out((dst, offset, length), |host| host.message().subnet.id.as_slice())
        }
        subnet_self_node_count |cx| -> u32 { Ok(cx.host().message().subnet.nodes) }
        root_key_size |cx| -> u32 { Ok(size(&cx.host().message().subnet.root_key)) }
        root_key_copy |cx, dst: u32, offset: u32, length: u32| -> () {
            cx.copy_out((dst, offset, length), |host| &host.message().subnet.root_key)
        }
        certified_data_set |cx, src: u32, length: u32| -> () {
            if length > MAX_CERTIFIED_BYTES {
                return Err(cx.violation(format_args!(
                    "failed because the passed data must be no larger than {MAX_CERTIFIED_BYTES} \
                     bytes. Found {length} bytes"
                )));
            }
            let data = cx.read(src, length, 1)?;
            cx.host_mut().effects.certified_data = Some(data);
            Ok(())
        }
        data_certificate_present |cx| -> u32 {
            let host = cx.host();
            let shown = matches!(host.mode, Mode::Query | Mode::CompositeQuery);
            Ok(u32::from(shown && host.message().data_certificate.is_some()))
        }
        data_certificate_size |cx| -> u32 {
            cx.check_certificate()?;
            Ok(size(certificate(cx.host())))
        }
        data_certificate_copy |cx, dst: u32, offset: u32, length: u32| -> () {
            cx.check_certificate()?;
            cx.copy_out((dst, offset, length), certificate)
        }
        time |cx| -> u64 { Ok(cx.host().message().time_ns) }
        global_timer_set |cx, timestamp: u64| -> u64 {
            let host = cx.host_mut();
            host.effects.timer_ns = Some(timestamp);
            Ok(std::mem::replace(&mut host.timer_ns, timestamp))
        }
        performance_counter |cx, counter: u32| -> u64 {
            let used = cx.used()?;
            match counter {
                0 => Ok(used),
                1 => Ok(cx.host().message().context_instructions.saturating_add(used)),
                other => Err(cx.violation(format_args!("has no counter of type {other}"))),
            }
        }
        is_controller |cx, src: u32, length: u32| -> u32 {
            let bytes = cx.read(src, length, 1)?;
            let principal = Principal::try_from_slice(&bytes)
                .map_err(|_| cx.violation("was given an invalid principal id"))?;
            Ok(u32::from(cx.host().message().canister.controllers.contains(&principal)))
        }
        in_replicated_execution |cx| -> u32 {
            let alone = matches!(
                cx.host().mode,
                Mode::Query
                    | Mode::CompositeQuery
                    | Mode::CompositeReply
                    | Mode::CompositeReject
                    | Mode::CompositeCleanup
                    | Mode::Inspect
            );
            Ok(u32::from(!alone))
        }
        env_var_count |cx| -> u32 {
            let count = cx.host().message().canister.environment.len();
            Ok(u32::try_from(count).unwrap_or(u32::MAX))
        }
        env_var_name_size |cx, index: u32| -> u32 {
            cx.check_variable_index(index)?;
            Ok(size(variable_name(cx.host(), index)))
        }
        env_var_name_copy |cx, index: u32, dst: u32, offset: u32, length: u32| -> () {
            cx.check_variable_index(index)?;
            cx.copy_out((dst, offset, length), |host| variable_name(host, index))
        }
        env_var_name_exists |cx, src: u32, length: u32| -> u32 {
            let name = cx.variable_argument(src, length)?;
            Ok(u32::from(variable_value(cx.host(), &name).is_some()))
        }
        env_var_value_size |cx, src: u32, length: u32| -> u32 {
            let name = cx.variable_argument(src, length)?;
            cx.check_variable(&name)?;
            Ok(size(variable_value(cx.host(), &name).unwrap_or_default()))
        }
        env_var_value_copy |cx, src: u32, length: u32, dst: u32, offset: u32, part: u32| -> () {
            let name = cx.variable_argument(src, length)?;
            cx.check_variable(&name)?;
            cx.copy_out((dst, offset, part), |host| variable_value(host, &name).unwrap_or_default())
        }
    );
}

impl Cx<'_> {
    fn check_certificate(&self) -> wasmtime::Result<()> {
        if self.host().message().data_certificate.is_none() {
            return Err(self.violation("called but no certificate is present"));
        }
        Ok(())
    }

    fn check_variable_index(&self, index: u32) -> wasmtime::Result<()> {
        let count = self.host().message().canister.environment.len();
        if index as usize >= count {
            return Err(self.violation(format_args!(
                "was given index {index}, but there are {count} environment variables"
            )));
        }
        Ok(())
    }

    fn variable_argument(&mut self, src: u32, length: u32) -> wasmtime::Result<String> {
        if length > MAX_VARIABLE_BYTES {
            return Err(self.violation(format_args!(
                "was given a name of {length} bytes; at most {MAX_VARIABLE_BYTES} are allowed"
            )));
        }
        let bytes = self.read(src, length, 1)?;
        String::from_utf8(bytes).map_err(|_| self.violation("was given a name that is not UTF-8"))
    }

    fn check_variable(&self, name: &str) -> wasmtime::Result<()> {
        if variable_value(self.host(), name).is_none() {
            return Err(self.violation(format_args!("found no environment variable '{name}'")));
        }
        Ok(())
    }
}

fn certificate(host: &Host) -> &[u8] {
    host.message()
        .data_certificate
        .map_or(&[], DataCertificate::bytes)
}

fn variable_name(host: &Host, index: u32) -> &[u8] {
    let environment = &host.message().canister.environment;
    environment
        .get(index as usize)
        .map_or(&[], |(name, _)| name.as_bytes())
}

fn variable_value<'h>(host: &'h Host, wanted: &str) -> Option<&'h [u8]> {
    let environment = &host.message().canister.environment;
    environment
        .iter()
        .find(|(name, _)| name == wanted)
        .map(|(_, value)| value.as_bytes())
}
