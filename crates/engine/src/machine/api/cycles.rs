//! System calls that move or show cycles.

use super::{Api, amount, define};

pub(super) fn define(api: &mut Api) {
    define!(api:
        msg_cycles_available128 |cx, dst: u32| -> () {
            let available = cx.host().cycles_available();
            cx.write_cycles(dst, available)
        }
        msg_cycles_refunded128 |cx, dst: u32| -> () {
            let refunded = cx.host().message().cycles_refunded;
            cx.write_cycles(dst, refunded)
        }
        msg_cycles_accept128 |cx, high: u64, low: u64, dst: u32| -> () {
            let accepted = cx.host_mut().accept(amount(high, low));
            cx.write_cycles(dst, accepted)
        }
        cycles_burn128 |cx, high: u64, low: u64, dst: u32| -> () {
            let burned = cx.host_mut().burn(amount(high, low));
            cx.write_cycles(dst, burned)
        }
        canister_cycle_balance128 |cx, dst: u32| -> () {
            let balance = cx.host().balance;
            cx.write_cycles(dst, balance)
        }
        canister_liquid_cycle_balance128 |cx, dst: u32| -> () {
            let liquid = cx.host().liquid();
            cx.write_cycles(dst, liquid)
        }
    );
}
