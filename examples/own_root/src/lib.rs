//! A shop that runs its own fleet: the control plane shares its memories, timers and certified data.

use hatchery::root::Stable;
use ic_stable_structures::memory_manager::{MemoryId, MemoryManager};
use ic_stable_structures::{DefaultMemoryImpl, StableBTreeMap};
use std::{cell::RefCell, time::Duration};

thread_local! {
    static MANAGER: MemoryManager<DefaultMemoryImpl> =
        MemoryManager::init(DefaultMemoryImpl::default());
    /// What was ordered, by 1 if it was shipped and number. Root's memories end below 100.
    static ORDERS: RefCell<StableBTreeMap<(u8, u64), String, Stable>> =
        RefCell::new(StableBTreeMap::init(memory(100)));
}

hatchery::root!(memory, start);

fn memory(number: u8) -> Stable {
    MANAGER.with(|manager| manager.get(MemoryId::new(number)))
}

/// After an install and after every upgrade.
fn start() {
    ic_cdk_timers::set_timer_interval(Duration::from_secs(10), || async { ship() });
}

fn ship() {
    ORDERS.with_borrow_mut(|orders| {
        if let Some(((0, number), item)) = orders.first_key_value() {
            orders.remove(&(0, number));
            orders.insert((1, number), item);
        }
        let shipped = orders.range((1, 0)..).count() as u64;
        ic_cdk::api::certified_data_set(shipped.to_be_bytes());
    });
}

/// Takes an order; its number.
#[ic_cdk::update]
fn order(item: String) -> u64 {
    ORDERS.with_borrow_mut(|orders| {
        let number = orders.len();
        orders.insert((0, number), item);
        number
    })
}

/// How many were shipped, and the certificate of it.
#[ic_cdk::query]
fn shipped() -> (u64, Option<Vec<u8>>) {
    let shipped = ORDERS.with_borrow(|orders| orders.range((1, 0)..).count());
    (shipped as u64, ic_cdk::api::data_certificate())
}
