//! System calls about the message under execution: argument, caller, reject, answer, inspection.

use super::{Api, Cx, PAYLOAD_BYTE_COST, define, size};
use crate::machine::host::Host;
use crate::machine::trap::Stop;
use crate::message::{Entry, Mode, Response};

/// Answers are at most 2 MiB, of non-replicated queries 3 MiB.
const MAX_REPLY_BYTES: usize = 2 * 1024 * 1024;
const MAX_QUERY_REPLY_BYTES: usize = 3 * 1024 * 1024;

pub(super) fn define(api: &mut Api) {
    define!(api:
        msg_arg_data_size |cx| -> u32 { Ok(size(cx.host().message().arg)) }
        msg_arg_data_copy |cx, dst: u32, offset: u32, length: u32| -> () {
            cx.copy_out((dst, offset, length), |host| host.message().arg)
        }
        msg_caller_size |cx| -> u32 { Ok(size(cx.host().message().caller.as_slice())) }
        msg_caller_copy |cx, dst: u32, offset: u32, length: u32| -> () {
            cx.copy_out((dst, offset, length), |host| host.message().caller.as_slice())
        }
        // Signed caller information exists only for users of canister signatures who attach it,
        // which no client of this engine does: always empty.
        msg_caller_info_data_size |cx| -> u32 { Ok(0) }
        msg_caller_info_data_copy |cx, dst: u32, offset: u32, length: u32| -> () {
            cx.copy_out((dst, offset, length), |_| &[])
        }
        msg_caller_info_signer_size |cx| -> u32 { Ok(0) }
        msg_caller_info_signer_copy |cx, dst: u32, offset: u32, length: u32| -> () {
            cx.copy_out((dst, offset, length), |_| &[])
        }
        msg_reject_code |cx| -> u32 {
            Ok(cx.host().message().reject.as_ref().map_or(0, |(code, _)| *code))
        }
        msg_reject_msg_size |cx| -> u32 { Ok(size(reject_text(cx.host())?)) }
        msg_reject_msg_copy |cx, dst: u32, offset: u32, length: u32| -> () {
            reject_text(cx.host())?;
            cx.copy_out((dst, offset, length), |host| reject_text(host).unwrap_or_default())
        }
        msg_deadline |cx| -> u64 { Ok(cx.host().message().deadline_ns) }
        msg_reply_data_append |cx, src: u32, length: u32| -> () {
            cx.check_not_answered()?;
            let limit = cx.reply_limit();
            let total = cx.host().reply.len() + length as usize;
            if total > limit {
                return Err(cx.violation(format_args!(
                    "application payload size ({total}) cannot be larger than {limit}"
                )));
            }
            let bytes = cx.read(src, length, PAYLOAD_BYTE_COST)?;
            cx.host_mut().reply.extend(bytes);
            Ok(())
        }
        msg_reply |cx| -> () {
            cx.check_not_answered()?;
            let host = cx.host_mut();
            let reply = std::mem::take(&mut host.reply);
            host.responded = true;
            host.effects.response = Some(Response::Reply(reply));
            Ok(())
        }
        msg_reject |cx, src: u32, length: u32| -> () {
            cx.check_not_answered()?;
            let limit = cx.reply_limit();
            if length as usize > limit {
                return Err(cx.violation(format_args!(
                    "application payload size ({length}) cannot be larger than {limit}"
                )));
            }
            let bytes = cx.read(src, length, 1)?;
            let text = String::from_utf8(bytes)
                .map_err(|_| cx.violation("was given a text that is not UTF-8"))?;
            let host = cx.host_mut();
            host.responded = true;
            host.effects.response = Some(Response::Reject(text));
            Ok(())
        }
        msg_method_name_size |cx| -> u32 { Ok(size(method_name(cx.host()))) }
        msg_method_name_copy |cx, dst: u32, offset: u32, length: u32| -> () {
            cx.copy_out((dst, offset, length), method_name)
        }
        accept_message |cx| -> () {
            if cx.host().effects.ingress_accepted {
                return Err(cx.violation("called a second time"));
            }
            cx.host_mut().effects.ingress_accepted = true;
            Ok(())
        }
        debug_print |cx, src: u32, length: u32| -> () {
            cx.charge(u64::from(length))?;
            let line = match cx.slice(src, length) {
                Ok(bytes) => bytes.to_vec(),
                Err(_) => b"(debug_print message out of memory bounds)".to_vec(),
            };
            cx.host_mut().log(line);
            Ok(())
        }
        trap |cx, src: u32, length: u32| -> () {
            cx.charge(u64::from(length))?;
            let text = match cx.slice(src, length) {
                Ok(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                Err(_) => "(trap message out of memory bounds)".to_string(),
            };
            Err(Stop::called(&text).into())
        }
    );
}

impl Cx<'_> {
    fn check_not_answered(&self) -> wasmtime::Result<()> {
        if self.host().responded {
            return Err(self.violation("the call is already replied"));
        }
        Ok(())
    }

    fn reply_limit(&self) -> usize {
        match self.host().mode {
            Mode::Query | Mode::CompositeQuery | Mode::CompositeReply | Mode::CompositeReject => {
                MAX_QUERY_REPLY_BYTES
            }
            _ => MAX_REPLY_BYTES,
        }
    }
}

fn reject_text(host: &Host) -> Result<&[u8], Stop> {
    match &host.message().reject {
        Some((_, text)) => Ok(text.as_bytes()),
        None => Err(Stop::contract(
            "there is no reject message: the reject code is 0",
        )),
    }
}

fn method_name(host: &Host) -> &[u8] {
    match &host.message().entry {
        Entry::InspectMessage(name) => name.as_bytes(),
        _ => &[],
    }
}
